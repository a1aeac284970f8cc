/**
 * What of an error goes into a log: what lies under it all, with its stack. The errors wrapped around it
 * say too much: the database layer's repeat the values of the query, such as an address or the hash of a
 * password.
 */
export function loggable(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? loggable(error.cause) : (error.stack ?? error.message);
}
