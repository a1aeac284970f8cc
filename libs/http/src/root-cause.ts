/**
 * What lies under an error, which is what a log may say of it. The errors wrapped around it say too much:
 * the database layer's repeat the values of the query, such as an address or the hash of a password.
 */
export function rootCause(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? rootCause(error.cause) : error;
}

/** The same with its stack, for what nobody expected. */
export function loggable(error: unknown): string {
  const cause = rootCause(error);
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
