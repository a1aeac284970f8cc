import { Injectable } from '@nestjs/common';
import type { Transaction } from '@signet/database';
import { and, eq, isNull } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import type { Client, Grant, KoaContextWithOIDC } from 'oidc-provider';
import { randomBytes } from 'node:crypto';
import { ConfiguredClients } from '../clients/configured-clients.js';
import { clients } from '../schema.js';
import { MAX_USER_AGENT } from '../sessions/device.decorator.js';
import type { Device } from '../sessions/device.decorator.js';
import { SessionStore } from '../sessions/session-store.js';
import { UnitOfWork } from './unit-of-work.js';

/**
 * What a user authorizes a client to do: a new grant, and with it a new session, for each authorization.
 * The grant is put together first and stored when nothing stands in the way of the code any more.
 */
@Injectable()
export class Authorizations {
  constructor(
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
    private readonly configured: ConfiguredClients,
  ) {}

  /**
   * The engine's question for a grant that covers the request. There is one when the user has just
   * consented, or need not be asked.
   */
  grantFor(context: KoaContextWithOIDC): Grant | undefined {
    const { client, account, result, provider, session, resourceServers = {} } = context.oidc;
    if (!client || !account || !session) return undefined;
    if (client.first_party !== true && !result?.consent) return undefined;
    const grant = new provider.Grant({ accountId: account.accountId, clientId: client.clientId });
    grant.jti = randomBytes(24).toString('base64url');
    grant.addOIDCScope([...context.oidc.requestParamOIDCScopes].join(' '));
    for (const [audience, { scopes }] of Object.entries(resourceServers)) {
      const granted = [...context.oidc.requestParamScopes].filter((scope) => scopes.has(scope));
      grant.addResourceScope(audience, granted.join(' '));
    }
    // The `sid` of its ID tokens and logout tokens is that of its access tokens.
    session.ensureClientContainer(client.clientId);
    session.sidFor(client.clientId, grant.jti);
    return grant;
  }

  /**
   * Stores the grant and begins its session.
   *
   * @throws {errors.AccessDenied} when the client has been disabled meanwhile
   */
  async begin(context: KoaContextWithOIDC): Promise<void> {
    const { client, grant, session, deviceCode } = context.oidc;
    if (!client || !grant?.jti || !session?.accountId) {
      throw new Error('there is nothing to begin a session with');
    }
    // A device is on its own, and who allowed it to, stays signed in there after signing out here.
    const isOnItsOwn =
      deviceCode !== undefined || context.oidc.requestParamScopes.has('offline_access');
    const begun = {
      sid: grant.jti,
      userId: session.accountId,
      clientId: client.clientId,
      acr: context.oidc.acr,
      amr: context.oidc.amr,
      ...(deviceCode ? deviceOf(deviceCode.deviceInfo) : browserOf(context)),
      ...(!isOnItsOwn && { signOn: session.uid }),
      authenticatedAt: new Date((session.loginTs ?? 0) * 1000),
    };
    await this.unit.write((transaction) => this.assertEnabled(transaction, client));
    await grant.save();
    await this.unit.write((transaction) => this.sessions.begin(transaction, begun));
  }

  /** Whoever disables the client waits, and then finds the session that begins here. */
  private async assertEnabled(transaction: Transaction, { clientId }: Client): Promise<void> {
    if (this.configured.find(clientId)) return;
    const held = await transaction
      .select({ id: clients.id })
      .from(clients)
      .where(and(eq(clients.id, clientId), isNull(clients.disabledAt)))
      .for('share');
    if (held.length === 0) throw new errors.AccessDenied('the client has been disabled');
  }
}

function browserOf(context: KoaContextWithOIDC): Device {
  const userAgent = context.get('user-agent').slice(0, MAX_USER_AGENT);
  return { userAgent, address: context.ip };
}

function deviceOf(info: Record<string, unknown> = {}): Device {
  const { ip, ua } = info;
  return {
    userAgent: typeof ua === 'string' ? ua.slice(0, MAX_USER_AGENT) : undefined,
    address: typeof ip === 'string' ? ip : '',
  };
}
