import { Inject, Injectable } from '@nestjs/common';
import { KeysUnavailableError } from '@signet/auth-guard';
import { and, eq, gt, isNull, or } from 'drizzle-orm';
import { jwtVerify } from 'jose';
import type { JWTPayload } from 'jose';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { KeyRing } from '../keys/key-ring.js';
import { revocations } from '../schema.js';
import { SessionStore } from '../sessions/session-store.js';
import { USERINFO } from './audiences.js';
import { RecordAdapter } from './record-adapter.js';
import { UnitOfWork } from './unit-of-work.js';

/** What an access token of ours says (design: "The token"). */
export interface AccessTokenClaims extends JWTPayload {
  sub: string;
  aud: string;
  exp: number;
  jti: string;
  client_id: string;
  roles: string[];
  scope?: string;
  sid?: string;
  /** Who acts for `sub` (RFC 8693 section 4.1). */
  act?: { sub: string };
  /** The key that the token is bound to (RFC 9449 section 6). */
  cnf?: { jkt: string };
}

/**
 * The access tokens that are out there, asked for one by one. They are signed and not stored, so what
 * is stored is which of them have been revoked; most end with their session instead.
 */
@Injectable()
export class AccessTokens {
  private readonly revoked: RecordAdapter;

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly keys: KeyRing,
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {
    const secret = config.SIGNET_COOKIE_SECRET;
    this.revoked = new RecordAdapter('RevokedToken', unit, sessions, secret);
  }

  /**
   * What the token says, if it is ours and has not expired, whether it still counts or not.
   *
   * @throws {KeysUnavailableError} when that cannot be told
   */
  async read(token: string): Promise<AccessTokenClaims | undefined> {
    try {
      const key = ({ kid }: { kid?: string }) => {
        const found = this.keys.getKey(kid ?? '');
        if (!found) throw new Error('no such key');
        return found;
      };
      const { payload } = await jwtVerify<AccessTokenClaims>(token, key, {
        issuer: this.config.SIGNET_ISSUER,
        typ: 'at+jwt',
        algorithms: ['RS256'],
        requiredClaims: ['sub', 'aud', 'exp', 'jti', 'client_id'],
      });
      return payload;
    } catch (error) {
      if (error instanceof KeysUnavailableError) throw error;
      return undefined;
    }
  }

  /** Whether it is still true: not void, its session alive, its roles its user's. */
  async isActive(claims: AccessTokenClaims): Promise<boolean> {
    const { jti, sid, sub, aud, roles } = claims;
    if ((await this.revoked.find(jti)) || (await this.isTakenBack(claims))) return false;
    if (sid === undefined) return true;
    const session = await this.unit.read((executor) => this.sessions.find(executor, sid));
    if (session?.userId !== sub) return false;
    return aud === USERINFO || sameRoles(roles, session.roles);
  }

  /** Makes this one token void, and nothing else. */
  async revoke({ jti, exp }: AccessTokenClaims): Promise<void> {
    const seconds = Math.ceil(exp - Date.now() / 1000);
    if (seconds > 0) await this.revoked.upsert(jti, {}, seconds);
  }

  /** Whether the feed says so, of its login or of all that its client had. */
  private async isTakenBack({ sid, client_id, iat = 0 }: AccessTokenClaims): Promise<boolean> {
    const { kind, subject, before, id } = revocations;
    const ofClient = and(eq(kind, 'client'), eq(subject, client_id));
    const ofSession = sid === undefined ? undefined : and(eq(kind, 'session'), eq(subject, sid));
    const found = await this.unit.read((executor) =>
      executor
        .select({ id })
        .from(revocations)
        .where(and(or(ofClient, ofSession), or(isNull(before), gt(before, iat))))
        .limit(1),
    );
    return found.length > 0;
  }
}

function sameRoles(claimed: readonly string[], actual: readonly string[]): boolean {
  return claimed.length === actual.length && actual.every((role) => claimed.includes(role));
}
