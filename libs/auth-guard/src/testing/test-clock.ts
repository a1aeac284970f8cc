import type { Clock } from '../clock.js';

interface Task {
  at: number;
  run: () => void;
}

/**
 * A clock that stands still until it is told to go on.
 *
 * @example
 * const clock = new TestClock();
 * AuthGuardModule.forRoot({ ...issuer.options, clock });
 * clock.advance(11 * 60); // eleven minutes later
 */
export class TestClock implements Clock {
  private time: number;
  private tasks: Task[] = [];

  /** @param start milliseconds since the epoch; the current time by default */
  constructor(start = Date.now()) {
    this.time = start;
  }

  now(): number {
    return this.time;
  }

  after(delay: number, run: () => void): () => void {
    const task = { at: this.time + delay, run };
    this.tasks.push(task);
    return () => (this.tasks = this.tasks.filter((other) => other !== task));
  }

  /** Moves time on, and runs what falls due on the way, in order. */
  advance(seconds: number): void {
    const end = this.time + seconds * 1000;
    for (let task = this.nextUntil(end); task; task = this.nextUntil(end)) {
      this.time = Math.max(this.time, task.at);
      this.tasks = this.tasks.filter((other) => other !== task);
      task.run();
    }
    this.time = end;
  }

  private nextUntil(end: number): Task | undefined {
    return this.tasks.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }
}
