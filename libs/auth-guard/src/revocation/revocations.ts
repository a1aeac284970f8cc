import type { Principal } from '../token/principal.js';
import type { RevocationCheck } from '../token/verifier.js';
import type { RevocationFollowerStatus } from './follower.js';
import type { IssuerRevocations } from './issuer-revocations.js';

/** All that the guard knows of revocations. What one issuer says is about its own tokens alone. */
export class Revocations implements RevocationCheck {
  private readonly known: ReadonlyMap<string, IssuerRevocations>;
  /** Issuers of whose revocations nobody can say how old the knowledge is. */
  readonly ageless: readonly string[];

  /**
   * @internal
   * @param own the issuer that the guard's options are about
   */
  constructor(
    private readonly own: string,
    issuers: Iterable<readonly [issuer: string, IssuerRevocations]>,
  ) {
    this.known = new Map(issuers);
    this.ageless = [...this.known].filter(([, known]) => !known.knowsAge).map(([name]) => name);
  }

  /** How the feed of the guard's own issuer is followed; undefined without one. */
  get status(): RevocationFollowerStatus | undefined {
    return this.statusOf(this.own);
  }

  /** How an issuer's feed is followed; undefined without one. */
  statusOf(issuer: string): RevocationFollowerStatus | undefined {
    return this.known.get(issuer)?.status;
  }

  /** Whether it can be said how old the knowledge of any issuer is. */
  get knowsAge(): boolean {
    return this.ageless.length < this.known.size;
  }

  isRevoked(principal: Principal): boolean {
    return this.known.get(principal.issuer)?.isRevoked(principal) === true;
  }

  /**
   * How old the knowledge of an issuer's revocations is, in seconds; of the guard's own issuer by default.
   * When nobody can say so it is Infinity, as before the first snapshot; 0 if it cannot be said of any
   * issuer.
   */
  age(issuer = this.own): number {
    const known = this.known.get(issuer);
    if (known?.knowsAge === true) return known.age();
    return this.knowsAge ? Infinity : 0;
  }

  /** Calls `listener` each time that there are new entries. */
  onRevoked(listener: () => void): void {
    for (const issuer of this.known.values()) issuer.onRevoked(listener);
  }

  /** @internal */
  async start(): Promise<void> {
    await Promise.all([...this.known.values()].map((issuer) => issuer.start()));
  }

  /** @internal */
  async close(): Promise<void> {
    await Promise.all([...this.known.values()].map((issuer) => issuer.close()));
  }
}
