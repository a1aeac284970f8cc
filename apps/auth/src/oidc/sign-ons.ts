import { Injectable } from '@nestjs/common';
import type { Actor, Transaction } from '@signet/database';
import { and, desc, eq, inArray, isNull } from 'drizzle-orm';
import { randomUUID } from 'node:crypto';
import { FIRST_PARTY, SIGN_ON } from '../clients/grants.js';
import { sessions, users } from '../schema.js';
import type { Device } from '../sessions/device.decorator.js';
import type { Ending } from '../sessions/endings.js';
import { isLive, SessionStore } from '../sessions/session-store.js';
import { UnitOfWork } from './unit-of-work.js';

/** How a user has just proved who they are. */
export interface Proof {
  userId: string;
  acr: string;
  amr: string[];
  at: Date;
}

/**
 * Being signed on in a browser, for all applications there. The engine keeps a cookie for it; whether
 * the cookie still counts is a matter of sessions: one of the user's own must vouch for it, either that
 * of the sign-in page or one of a first-party application that the browser is signed on from. So it
 * ends with a change of password, a disabled account and whatever else ends sessions.
 */
@Injectable()
export class SignOns {
  constructor(
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * Begins a session for a password that was given at the sign-in page. It vouches for nothing until
   * it is bound to a browser.
   *
   * @returns its id
   */
  async begin(transaction: Transaction, proof: Proof, device: Device): Promise<string> {
    const { at, ...rest } = proof;
    const sid = randomUUID();
    const session = { sid, clientId: SIGN_ON, ...rest, ...device, authenticatedAt: at };
    await this.sessions.begin(transaction, session);
    return sid;
  }

  /** Lets a session vouch for the browser's sign-on `uid`; a session that does already goes on so. */
  async bind(sid: string, uid: string, userId: string): Promise<void> {
    await this.unit.write((transaction) =>
      transaction
        .update(sessions)
        .set({ signOn: uid })
        .where(
          and(eq(sessions.sid, sid), eq(sessions.userId, userId), isNull(sessions.signOn), isLive),
        ),
    );
  }

  /** Lets a first-party session vouch for the sign-on `uid` instead of an earlier one. */
  async move(transaction: Transaction, sid: string, uid: string): Promise<void> {
    await transaction
      .update(sessions)
      .set({ signOn: uid })
      .where(and(eq(sessions.sid, sid), isLive));
  }

  /**
   * Whether the sign-on `uid` of this user still counts. Notes that it is used, and keeps the account
   * as it is until the transaction ends.
   */
  isVouchedFor(uid: string, userId: string): Promise<boolean> {
    return this.unit.write(async (transaction) => {
      // Users before sessions, like everyone: whoever ends all sessions of the user waits.
      await transaction
        .select({ id: users.id })
        .from(users)
        .where(eq(users.id, userId))
        .for('share');
      const [voucher] = await transaction
        .select({ sid: sessions.sid })
        .from(sessions)
        .where(
          and(
            eq(sessions.signOn, uid),
            eq(sessions.userId, userId),
            inArray(sessions.clientId, [SIGN_ON, FIRST_PARTY]),
            isLive,
          ),
        )
        .orderBy(desc(sessions.authenticatedAt))
        .limit(1);
      return voucher !== undefined && !!(await this.sessions.touch(transaction, voucher.sid));
    });
  }

  /** Ends the sessions that were begun through a sign-on, and what vouches for it: all, or one client's. */
  async end(uid: string, ending: Ending, actor: Actor, clientId?: string): Promise<void> {
    await this.unit.write(async (transaction) => {
      const live = await transaction
        .select({ sid: sessions.sid })
        .from(sessions)
        .where(
          and(
            eq(sessions.signOn, uid),
            clientId === undefined ? undefined : eq(sessions.clientId, clientId),
            isNull(sessions.endedAt),
          ),
        );
      const sids = live.map(({ sid }) => sid);
      await this.sessions.end(transaction, sids, ending, actor);
    });
  }
}
