import type { Principal } from '../token/principal.js';
import type { Revocation } from './feed-format.js';
import { IdFilter } from './id-filter.js';

interface Entry {
  /** Seconds; Infinity for every token. */
  before: number;
  /** Seconds. */
  until: number;
}

/** How many entries one turn of `sweep` looks at: a fraction of a millisecond. */
const SWEPT_AT_ONCE = 5_000;

const MANY_GONE = 1_000;

/**
 * The entries that are in force. Asked once for each request: one look-up, two while a client is
 * disabled, and nothing allocated.
 */
export class RevokedTokens {
  private readonly sessions = new Map<string, Entry>();
  private readonly clients = new Map<string, Entry>();
  private filter: IdFilter;
  /** What the filter will be when everything has been looked at: without the ids that are gone. */
  private nextFilter: IdFilter | undefined;
  private gone = 0;
  private sweeping: Iterator<[string, Entry], undefined> | undefined;

  /** @param maxEntries about 200 bytes each */
  constructor(private readonly maxEntries: number) {
    this.filter = new IdFilter(maxEntries);
  }

  /** How many entries are in force. */
  get size(): number {
    return this.sessions.size + this.clients.size;
  }

  /** Whether an entry makes a token void. */
  isRevoked({ sessionId, clientId, issuedAt }: Principal): boolean {
    if (sessionId !== undefined && this.filter.mayHave(sessionId)) {
      const entry = this.sessions.get(sessionId);
      if (entry !== undefined && issuedAt < entry.before) return true;
    }
    if (this.clients.size === 0) return false;
    const entry = this.clients.get(clientId);
    return entry !== undefined && issuedAt < entry.before;
  }

  /**
   * Takes an entry in. What was void stays void: of two entries for one login the stricter counts.
   *
   * @returns false when there is no room
   */
  add({ kind, id, before = Infinity, until }: Revocation): boolean {
    const entries = kind === 'session' ? this.sessions : this.clients;
    const known = entries.get(id);
    if (known) {
      known.before = Math.max(known.before, before);
      known.until = Math.max(known.until, until);
    } else if (this.size < this.maxEntries) entries.set(id, { before, until });
    else return false;
    if (kind === 'session') {
      this.filter.add(id);
      this.nextFilter?.add(id);
    }
    return true;
  }

  /** Each entry as it is in force. */
  *list(): Generator<Revocation> {
    for (const kind of ['session', 'client'] as const) {
      for (const [id, { before, until }] of kind === 'session' ? this.sessions : this.clients) {
        yield { kind, id, until, ...(before !== Infinity && { before }) };
      }
    }
  }

  /**
   * Drops entries that no token can meet any more. Does a part of the work at each call, so that
   * however many there are no request waits for it.
   *
   * @param now seconds
   * @returns whether everything has been looked at once
   */
  sweep(now: number): boolean {
    for (const [id, { until }] of this.clients) if (until < now) this.clients.delete(id);
    this.sweeping ??= this.beginSweep();
    for (let looked = 0; looked < SWEPT_AT_ONCE; looked++) {
      const next: IteratorResult<[string, Entry], undefined> = this.sweeping.next();
      if (next.done) {
        this.filter = this.nextFilter ?? this.filter;
        this.nextFilter = undefined;
        this.sweeping = undefined;
        return true;
      }
      const [id, { until }] = next.value;
      if (until >= now) this.nextFilter?.add(id);
      else if (this.sessions.delete(id)) this.gone += 1;
    }
    return false;
  }

  /** Ids that are gone only make the filter coarser: it is made anew when there are many. */
  private beginSweep() {
    if (this.gone > MANY_GONE + this.sessions.size / 4) {
      this.nextFilter = new IdFilter(this.maxEntries);
      this.gone = 0;
    }
    return this.sessions.entries();
  }
}
