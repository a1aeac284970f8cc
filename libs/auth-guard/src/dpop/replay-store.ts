/**
 * Remembers which proofs were used, so that one that was overheard is worth nothing. Share one among
 * the replicas of a service (`SET key 1 NX EXAT …` in Redis does it) to refuse a proof at all of them.
 */
export interface ReplayStore {
  /**
   * Notes a proof, in one step with the question whether it was noted before.
   *
   * @param id of the proof, in base64url
   * @param until seconds since the epoch, after which it may be forgotten
   * @returns whether it is new. What it throws, a rejection too, is answered with 503: whether the proof
   *   is new cannot be told then.
   */
  remember(id: string, until: number): boolean | Promise<boolean>;
}

/** There is no room for another proof; until the oldest ones may go, none is accepted. */
export class ReplayStoreFullError extends Error {
  /** The class's name, which stays when code is made smaller. */
  override readonly name = 'ReplayStoreFullError';
}

/**
 * The proofs of this process, in memory. Bounded: what is remembered must not be forgotten early, so
 * when it is full it refuses, rather than let a proof be used twice.
 */
export class MemoryReplayStore implements ReplayStore {
  private readonly used = new Map<string, number>();

  /**
   * @param now seconds since the epoch
   * @param maxEntries some 150 bytes each; what can be used in one `proofLifetime`
   */
  constructor(
    private readonly now: () => number,
    private readonly maxEntries = 100_000,
  ) {}

  /** How many proofs are remembered, such as are over by now among them. */
  get size(): number {
    return this.used.size;
  }

  /**
   * Notes a proof.
   *
   * @throws {ReplayStoreFullError}
   */
  remember(id: string, until: number): boolean {
    const now = this.now();
    const known = this.used.get(id);
    if (known !== undefined && known > now) return false;
    if (this.used.size >= this.maxEntries) this.forgetOld(now);
    if (this.used.size >= this.maxEntries) throw new ReplayStoreFullError('no room for a proof');
    this.used.set(id, until);
    return true;
  }

  /**
   * Entries stand in the order in which they came, which is nearly that in which they go: one that is
   * not over yet ends the search.
   */
  private forgetOld(now: number): void {
    for (const [id, until] of this.used) {
      if (until > now) return;
      this.used.delete(id);
    }
  }
}
