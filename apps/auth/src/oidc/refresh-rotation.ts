import { Injectable } from '@nestjs/common';
import type { KoaContextWithOIDC, RefreshToken } from 'oidc-provider';
import { inUse } from '../sessions/session-statements.js';
import { grantOf, LockedRefreshes } from './locked-refreshes.js';
import type { Consumed } from './locked-refreshes.js';
import { sha256 } from './record-adapter.js';
import { storeSuccessor } from './record-statements.js';
import type { NewRecord } from './record-statements.js';
import { RefreshBatches } from './refresh-batches.js';
import type { FoundRefreshToken } from './refresh-statements.js';
import { requester } from './requester.js';
import { UnitOfWork } from './unit-of-work.js';

/** A token that is exchanged once the access token has been signed, if all is still as it was read. */
interface Intended {
  token: RefreshToken;
  /** Of the session's row that the access token is made from. */
  version: string;
  successor?: NewRecord;
}

/** What becomes of the refresh token of a request: it is consumed, or its successor is given again. */
interface Outcome {
  intended?: Intended;
  consumed?: Consumed | undefined;
  successor?: string;
}

/**
 * What happens to a refresh token that is used. Public clients' tokens are exchanged for the next one
 * (RFC 9700 section 4.14.2); confidential clients keep theirs, which is worth nothing without their
 * own credentials.
 *
 * A token that comes again was stolen, or its answer was lost. It is taken for lost only if it is the
 * immediate parent of a token that nobody has used, a few seconds after the exchange: then it is
 * answered with that same token. Otherwise the family ends.
 */
@Injectable()
export class RefreshRotation {
  private readonly outcomes = new WeakMap<KoaContextWithOIDC, Outcome>();

  constructor(
    private readonly unit: UnitOfWork,
    private readonly batches: RefreshBatches,
    private readonly locked: LockedRefreshes,
  ) {}

  /** The token with this hash, with all that is asked for to exchange it. */
  async find(hash: string): Promise<FoundRefreshToken | undefined> {
    const found = this.unit.isOpen
      ? await this.unit.read((executor) => this.batches.findOn(executor, hash))
      : await this.batches.find(hash);
    if (found?.consumed === null) this.unit.offer(`refresh token ${hash}`, found);
    return found;
  }

  /**
   * The engine's question, after it has checked everything else about the request, whether to exchange
   * the token. All that this takes has been read: it is written once the access token has been signed, if
   * nothing has changed meanwhile (`complete`). Otherwise everything is looked at under locks.
   *
   * @throws {errors.InvalidGrant} when the token was exchanged before; its family has ended then
   */
  async decide(context: KoaContextWithOIDC): Promise<boolean> {
    const { RefreshToken: token, Client: client } = context.oidc.entities;
    if (!token || !client) throw new Error('the engine has not loaded the refresh token');
    const rotates = client.clientAuthMethod === 'none';
    const intended = rotates ? this.intend(token) : undefined;
    if (!intended) return this.decideLocked(context, { token, rotates });
    this.outcomes.set(context, { intended });
    return true;
  }

  /** Stores the token that the one of the request is exchanged for. */
  async store(context: KoaContextWithOIDC, successor: NewRecord): Promise<void> {
    const intended = this.outcomes.get(context)?.intended;
    if (intended) intended.successor = successor;
    // The grant is held, and there is no other successor.
    else await this.unit.writeLast((transaction) => storeSuccessor.run(transaction, successor));
  }

  /**
   * Exchanges the token, now that the access token has been signed and nothing else can be refused.
   *
   * @returns whether that access token may be handed out; otherwise another one must be made, of what is so now
   * @throws {errors.InvalidGrant} as `decide`
   */
  async complete(context: KoaContextWithOIDC): Promise<boolean> {
    const intended = this.outcomes.get(context)?.intended;
    if (!intended) return true;
    const { token, version, successor } = intended;
    if (!successor) throw new Error('the engine has stored no successor');
    const { hash, sealedValue, payload, expiresAt } = successor;
    const isExchanged = await this.batches.exchange({
      ...{ sid: grantOf(token), version, hash: sha256(token.jti) },
      ...{ successor: hash, sealedValue, payload, expiresAt },
    });
    if (isExchanged) return true;
    // Somebody else was here, or is. What that comes to, whoever holds the locks can say.
    if (await this.decideLocked(context, { token, rotates: true })) {
      await this.store(context, successor);
    }
    return false;
  }

  /** Unless something has to be written before, or an ID token has to be signed after. */
  private intend(token: RefreshToken): Intended | undefined {
    const found = this.unit.take(`refresh token ${sha256(token.jti)}`) as
      FoundRefreshToken | undefined;
    const { version, user_id } = found ?? {};
    if (!found || !version || !user_id) return undefined;
    if (this.unit.isOpen || token.scopes.has('openid')) return undefined;
    this.unit.offer(`session ${grantOf(token)}`, inUse({ ...found, user_id }));
    return { token, version };
  }

  private async decideLocked(
    context: KoaContextWithOIDC,
    { token, rotates }: { token: RefreshToken; rotates: boolean },
  ): Promise<boolean> {
    const decision = await this.locked.use(token, { rotates, requester: requester(context) });
    this.outcomes.set(context, decision);
    return rotates && 'consumed' in decision;
  }

  /** Whether the token of this request was consumed by `decide`. */
  hasDecided(context: KoaContextWithOIDC | undefined): boolean {
    return context !== undefined && this.outcomes.has(context);
  }

  /** Middleware of the engine, inside the unit of work. */
  readonly deliver = async (
    context: KoaContextWithOIDC,
    next: () => Promise<void>,
  ): Promise<void> => {
    await next();
    const outcome = this.outcomes.get(context);
    if (!outcome) return;
    if (context.status >= 400) {
      // A request that gets no tokens, for asking for too much perhaps, must not cost the one it has.
      const { consumed } = outcome;
      if (consumed) await this.locked.giveBack(consumed);
    } else if (outcome.successor !== undefined) {
      Object.assign(context.body as object, { refresh_token: outcome.successor });
    }
  };
}
