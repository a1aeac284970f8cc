/** The shortest time between two scheduled refreshes, in milliseconds, whatever Cache-Control says. */
const MIN_REFRESH_INTERVAL = 5_000;

const FIRST_RETRY = 500;
/** With keys at hand there is time; without, every request is answered with 503 meanwhile. */
const LAST_RETRY = { withKeys: 30_000, withoutKeys: 2_000 };

/**
 * When to fetch again after a success, in milliseconds: ahead of the moment at which the set stops
 * being fresh, so that no request ever waits for it, and not at the same moment in every replica.
 *
 * @param maxAge seconds of freshness the response claimed
 * @param longest milliseconds, an upper bound for a freshness that claims more or nothing
 */
export function refreshDelay(maxAge: number | undefined, longest: number): number {
  const claimed = maxAge === undefined ? longest : maxAge * 1000;
  const lifetime = Math.min(longest, Math.max(MIN_REFRESH_INTERVAL, claimed));
  return lifetime * between(0.75, 0.9);
}

/**
 * How long to leave the issuer alone after so many failures in a row, in milliseconds: twice as long
 * each time, up to 30 seconds with keys at hand and 2 seconds without.
 */
export function retryDelay(failures: number, keys: keyof typeof LAST_RETRY): number {
  const step = Math.min(LAST_RETRY[keys], FIRST_RETRY * 2 ** Math.min(failures - 1, 16));
  return step * between(0.5, 1);
}

function between(low: number, high: number): number {
  return low + Math.random() * (high - low);
}
