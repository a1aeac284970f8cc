import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { inRounds } from './rounds.ts';
import { figure } from './table.ts';

const bench = (...words: string[]) =>
  spawnSync(process.execPath, [join(__dirname, 'main.ts'), ...words], { encoding: 'utf8' });

describe('npm run bench', () => {
  it.each([
    ['a suite that does not exist', ['nonsense'], 'There is no suite "nonsense".'],
    ['no suite', [], 'Name a suite.'],
    ['an option that does not exist', ['guard', '--fast'], "Unknown option '--fast'"],
  ])('asked for %s, says what is wrong and which suites there are', (_what, words, problem) => {
    const { status, stderr } = bench(...words);
    expect(status).toBe(2);
    expect(stderr).toContain(problem);
    expect(stderr).toMatch(/Suites: .*guard/);
  });

  it('explains itself', () => {
    const { status, stdout } = bench('--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/Suites: .*guard/);
  });
});

describe('a comparison', () => {
  it('takes the median of what the rounds say, not of one lucky round', async () => {
    const contender = (name: string, rates: number[]) => ({
      name,
      measure: () => Promise.resolve({ rate: rates.shift() ?? 0, cpu: 1 }),
    });
    const results = await inRounds(
      [contender('a', [9, 20, 2, 40]), contender('b', [9, 10, 10, 10])],
      { rounds: 3, warmUp: 1 },
    );
    expect(results.median('a').rate).toBe(20);
    expect(results.ratio('a', 'b').rate).toBe(2);
  });

  it.each([
    [0.8951, '0.90'],
    [28.71, '28.7'],
    [14203, '14,200'],
  ])('shows %d as %s', (value, text) => {
    expect(figure(value)).toBe(text);
  });
});
