/** What one contender used for a number of operations. */
export interface Sample {
  /** Operations a second. */
  rate: number;
  /** Microseconds of processor time for one operation, of all threads of the process that did it. */
  cpu: number;
  /** Microseconds of processor time that the database used for it. */
  database?: number;
  /** Microseconds of processor time that whoever asked for it used. */
  load?: number;
}

export interface Contender {
  name: string;
  /** Does some work and says what it took. */
  measure(): Promise<Sample>;
}

/**
 * Measures contenders in turns: what disturbs the machine for a while disturbs all of them, and each
 * round has its own comparison. Every other round goes backwards.
 *
 * @param warmUp rounds whose samples are thrown away
 */
export async function inRounds(
  contenders: readonly Contender[],
  { rounds, warmUp }: { rounds: number; warmUp: number },
): Promise<Results> {
  const samples = new Map(contenders.map(({ name }): [string, Sample[]] => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : contenders.toReversed();
    for (const contender of order) {
      const sample = await contender.measure();
      if (round >= 0) samples.get(contender.name)?.push(sample);
    }
  }
  return new Results(samples);
}

export class Results {
  private readonly samples: ReadonlyMap<string, readonly Sample[]>;

  constructor(samples: ReadonlyMap<string, readonly Sample[]>) {
    this.samples = samples;
  }

  median(name: string): Required<Sample> {
    const samples = this.of(name);
    return {
      rate: median(samples.map(({ rate }) => rate)),
      cpu: median(samples.map(({ cpu }) => cpu)),
      database: median(samples.map(({ database = 0 }) => database)),
      load: median(samples.map(({ load = 0 }) => load)),
    };
  }

  /** How many times as fast as `other` a contender is: the median of the rounds' own ratios. */
  ratio(name: string, other: string): Sample {
    const others = this.of(other);
    const pairs = this.of(name).map((sample, round) => [sample, others[round] ?? sample] as const);
    return {
      rate: median(pairs.map(([mine, theirs]) => mine.rate / theirs.rate)),
      cpu: median(pairs.map(([mine, theirs]) => theirs.cpu / mine.cpu)),
    };
  }

  private of(name: string): readonly Sample[] {
    const samples = this.samples.get(name);
    if (!samples) throw new Error(`Nothing was measured under the name ${name}.`);
    return samples;
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low = NaN, high = NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return (low + high) / 2;
}
