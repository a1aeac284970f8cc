/** Nobody answered, or nobody could: whether the call took effect is not known. */
export class UnansweredError extends Error {
  override readonly name = 'UnansweredError';
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
