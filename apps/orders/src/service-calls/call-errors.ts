/** Nobody answered, or nobody could: whether the call took effect is not known. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
}

/** The service is there and asks for a moment: the same call is being answered, or there are too many. */
export class BusyError extends Error {
  override readonly name = 'BusyError';

  /** @param retryAfterMs as it asked for; 0 when it did not say */
  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** The service understood, and said no (a 4xx that repeating will not change). */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  /**
   * @param code of the problem document
   * @param extensions its further members
   */
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly extensions: Readonly<Record<string, unknown>>,
  ) {
    super(detail);
  }
}
