import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE_MS = 45_000;

/** Waits until something holds; fails when that takes far too long. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It did not come about.');
    await sleep(20);
  }
}
