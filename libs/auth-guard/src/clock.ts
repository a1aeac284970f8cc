/**
 * Where the guard takes its time from. Everything that expires, waits or retries goes through one of
 * these, so that a test can move time instead of sleeping.
 */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs `task` once, `delay` milliseconds from now. Must not keep the process alive.
   * @returns a function that cancels the task
   */
  after(delay: number, task: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delay, task) {
    const timer = setTimeout(task, delay);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
