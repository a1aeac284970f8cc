import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Nonces that need no memory: each is the number of a period of time with a MAC over it, so that every
 * replica with the secret knows the others' (RFC 9449 section 9). Given out for one period, accepted in
 * that and the next.
 */
export class DpopNonces {
  private readonly secret: Uint8Array;
  private readonly lifetime: number;
  private latest: { period: number; nonce: string } | undefined;

  /** @param lifetime of one period, in seconds */
  constructor({ secret, lifetime }: { secret?: Uint8Array; lifetime?: number } = {}) {
    this.secret = secret ?? randomBytes(32);
    this.lifetime = lifetime ?? 300;
  }

  /** The nonce to give out now. */
  current(now: number): string {
    const period = this.periodOf(now);
    if (this.latest?.period !== period) this.latest = { period, nonce: this.nonceOf(period) };
    return this.latest.nonce;
  }

  /** `fresh`: the current one. `ageing`: accepted, but the client should be given the current one. */
  judge(nonce: unknown, now: number): 'fresh' | 'ageing' | 'unknown' {
    if (typeof nonce !== 'string') return 'unknown';
    if (isEqual(nonce, this.current(now))) return 'fresh';
    return isEqual(nonce, this.nonceOf(this.periodOf(now) - 1)) ? 'ageing' : 'unknown';
  }

  private periodOf(now: number): number {
    return Math.floor(now / this.lifetime);
  }

  private nonceOf(period: number): string {
    const mac = createHmac('sha256', this.secret).update(`dpop-nonce:${period}`).digest();
    return mac.subarray(0, 24).toString('base64url');
  }
}

function isEqual(left: string, right: string): boolean {
  const [one, other] = [Buffer.from(left), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
