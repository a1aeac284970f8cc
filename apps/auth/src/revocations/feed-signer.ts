import { Inject, Injectable } from '@nestjs/common';
import { REVOCATION_FEED } from '@signet/auth-guard';
import { sign } from 'node:crypto';
import { promisify } from 'node:util';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { KeyRing } from '../keys/key-ring.js';

const signAsync = promisify(sign);

/** Signs what the feed says, with the key that signs access tokens. */
@Injectable()
export class FeedSigner {
  private readonly issuer: string;

  constructor(
    @Inject(AUTH_CONFIG) config: AuthConfig,
    private readonly ring: KeyRing,
  ) {
    this.issuer = config.SIGNET_ISSUER;
  }

  /**
   * A compact JWS of this `typ` (RFC 7515 section 7.1), signed on a thread of the pool.
   *
   * @param claims beyond `iss`, `aud` and `iat`
   * @throws {Error} while no key may sign
   */
  async sign(typ: string, claims: Record<string, unknown>): Promise<string> {
    const [active] = this.ring.published();
    if (!active || !this.ring.maySign()) throw new Error('there is no key that may sign');
    const { row, privateKey } = active;
    const common = {
      iss: this.issuer,
      aud: REVOCATION_FEED.audience,
      iat: Math.floor(Date.now() / 1000),
    };
    const input = `${encode({ alg: 'RS256', typ, kid: row.kid })}.${encode({ ...common, ...claims })}`;
    const signature = await signAsync('sha256', Buffer.from(input), privateKey);
    return `${input}.${signature.toString('base64url')}`;
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
