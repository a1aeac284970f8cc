import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './world.ts';

/** Each asks again as soon as it has its answers and a moment has passed: a machine is not drowned. */
const USERS = 8;
const PAUSE_MS = 10;

/** People who ask for something all the time, until they are stopped. */
export class Load {
  private stopped = false;
  private rounds = 0;
  private readonly failures: number[] = [];
  private readonly began = performance.now();
  private readonly users: Promise<unknown>;

  constructor(private readonly ask: () => Promise<readonly Answer[]>) {
    this.users = Promise.all(Array.from({ length: USERS }, () => this.run()));
  }

  /** @returns rounds a second, and the statuses of what was not answered as a good token is */
  async stop(): Promise<{ rate: number; failures: number[] }> {
    this.stopped = true;
    await this.users;
    const seconds = (performance.now() - this.began) / 1000;
    return { rate: this.rounds / seconds, failures: this.failures };
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      const answers = await this.ask();
      this.rounds += 1;
      const statuses = answers.map(({ status }) => status);
      this.failures.push(...statuses.filter((status) => status === 401 || status >= 500));
      await sleep(PAUSE_MS);
    }
  }
}
