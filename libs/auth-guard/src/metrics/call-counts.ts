import type { AuthErrorCode } from '../errors.js';

/** How often calls of one kind ended in one way. */
export interface CallCount {
  /** `http`, `graphql`, `ws`, `rpc`, or `connection` for sockets that open. */
  kind: string;
  /** `anonymous`: let in without a token, where one is optional. */
  outcome: 'admitted' | 'anonymous' | 'refused';
  /** Why it was refused. */
  code?: AuthErrorCode;
  /** Since the start. */
  count: number;
}

interface Counts {
  admitted: number;
  anonymous: number;
  refused: Map<AuthErrorCode, number>;
}

/** What came of the calls that the guard decided about. Plain numbers: counting costs next to nothing. */
export class CallCounts {
  private readonly kinds = new Map<string, Counts>();

  admitted(kind: string): void {
    this.of(kind).admitted += 1;
  }

  anonymous(kind: string): void {
    this.of(kind).anonymous += 1;
  }

  refused(kind: string, code: AuthErrorCode): void {
    const { refused } = this.of(kind);
    refused.set(code, (refused.get(code) ?? 0) + 1);
  }

  list(): CallCount[] {
    return [...this.kinds].flatMap(([kind, { admitted, anonymous, refused }]) => [
      { kind, outcome: 'admitted' as const, count: admitted },
      { kind, outcome: 'anonymous' as const, count: anonymous },
      ...[...refused].map(([code, count]) => ({ kind, outcome: 'refused' as const, code, count })),
    ]);
  }

  private of(kind: string): Counts {
    const known = this.kinds.get(kind);
    if (known) return known;
    const counts = { admitted: 0, anonymous: 0, refused: new Map<AuthErrorCode, number>() };
    this.kinds.set(kind, counts);
    return counts;
  }
}
