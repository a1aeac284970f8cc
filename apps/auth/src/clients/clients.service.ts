import { HttpStatus, Injectable } from '@nestjs/common';
import { AuditLog } from '@signet/database';
import type { Actor, Transaction } from '@signet/database';
import { notFound, Problem } from '@signet/http';
import { and, eq, isNull, sql } from 'drizzle-orm';
import { errors } from 'oidc-provider';
import { randomUUID } from 'node:crypto';
import type { AuditAction } from '../audit/audit-actions.js';
import { OidcEngine } from '../oidc/engine.js';
import { UnitOfWork } from '../oidc/unit-of-work.js';
import { clients, sessions } from '../schema.js';
import { RevocationLog } from '../revocations/revocation-log.js';
import { SessionStore } from '../sessions/session-store.js';
import { toView } from './client-directory.js';
import type {
  ClientRegistration,
  ClientView,
  NewSecret,
  RegisteredClient,
} from './client.schema.js';
import { hashClientSecret, newClientSecret } from './client-secret.js';
import { ConfiguredClients } from './configured-clients.js';

type Row = typeof clients.$inferSelect;

/** Registering applications, and taking the right to ask for tokens from them. */
@Injectable()
export class ClientsService {
  constructor(
    private readonly unit: UnitOfWork,
    private readonly engine: OidcEngine,
    private readonly configured: ConfiguredClients,
    private readonly sessions: SessionStore,
    private readonly revocations: RevocationLog,
    private readonly audit: AuditLog<AuditAction>,
  ) {}

  /** @throws {Problem} 422 `client_metadata_invalid` when the engine cannot work with it */
  async register(metadata: ClientRegistration, actor: Actor): Promise<RegisteredClient> {
    const id = randomUUID();
    const secret = usesSecret(metadata) ? newClientSecret() : undefined;
    const row = await this.change(id, actor, 'client.registered', async (transaction) => {
      const secretHash = secret === undefined ? null : hashClientSecret(secret);
      const values = { id, metadata, secretHash };
      return (await transaction.insert(clients).values(values).returning())[0];
    });
    return { ...row, ...(secret !== undefined && { client_secret: secret }) };
  }

  /**
   * Replaces what a client may do. The way it authenticates stays.
   *
   * @throws {Problem} 404, 409 `client_configured`, 422 `client_metadata_invalid`
   */
  replace(id: string, metadata: ClientRegistration, actor: Actor): Promise<ClientView> {
    return this.change(id, actor, 'client.changed', async (transaction) => {
      const method = metadata.token_endpoint_auth_method;
      const [row] = await transaction
        .update(clients)
        .set({ metadata })
        .where(
          and(
            eq(clients.id, id),
            sql`${clients.metadata} ->> 'token_endpoint_auth_method' = ${method}`,
          ),
        )
        .returning();
      if (row) return row;
      const [other] = await transaction.select().from(clients).where(eq(clients.id, id));
      if (!other) return undefined;
      throw refused('token_endpoint_auth_method: register another client to change it.');
    });
  }

  /** @throws {Problem} 404, 409 `client_configured`, 422 when it has no secret */
  async rotateSecret(id: string, overlapSeconds: number, actor: Actor): Promise<NewSecret> {
    const secret = newClientSecret();
    await this.change(id, actor, 'client.changed', async (transaction) => {
      const [client] = await transaction
        .select()
        .from(clients)
        .where(eq(clients.id, id))
        .for('update');
      if (!client) return undefined;
      if (client.secretHash === null) throw refused('The client authenticates without a secret.');
      const [row] = await transaction
        .update(clients)
        .set({
          secretHash: hashClientSecret(secret),
          previousSecretHash: overlapSeconds > 0 ? client.secretHash : null,
          previousSecretUntil:
            overlapSeconds > 0 ? sql`now() + make_interval(secs => ${overlapSeconds})` : null,
        })
        .where(eq(clients.id, id))
        .returning();
      return row;
    });
    return { client_id: id, client_secret: secret };
  }

  /** Takes everything from the client: its users' sessions end, and it gets no token any more. */
  disable(id: string, actor: Actor): Promise<ClientView> {
    return this.change(id, actor, 'client.changed', async (transaction) => {
      const [row] = await transaction
        .update(clients)
        .set({ disabledAt: sql`coalesce(${clients.disabledAt}, now())` })
        .where(eq(clients.id, id))
        .returning();
      const live = await transaction
        .select({ sid: sessions.sid })
        .from(sessions)
        .where(and(eq(sessions.clientId, id), isNull(sessions.endedAt)));
      const sids = live.map(({ sid }) => sid);
      await this.sessions.end(transaction, sids, 'client_disabled', actor);
      // What it has been given for itself belongs to no session.
      await this.revocations.record(transaction, {
        kind: 'client',
        ids: row ? [id] : [],
        cause: 'client_disabled',
        actor: actor.id,
        concerns: 'issued',
      });
      return row;
    });
  }

  /** Lets a disabled client ask for tokens again. What it had stays ended. */
  enable(id: string, actor: Actor): Promise<ClientView> {
    return this.change(id, actor, 'client.changed', async (transaction) => {
      const change = transaction.update(clients).set({ disabledAt: null });
      return (await change.where(eq(clients.id, id)).returning())[0];
    });
  }

  private change(
    id: string,
    actor: Actor,
    action: 'client.registered' | 'client.changed',
    work: (transaction: Transaction) => Promise<Row | undefined>,
  ): Promise<ClientView> {
    if (this.configured.find(id)) throw isConfigured();
    return this.unit.run(async () => {
      const row = found(await this.unit.write(work));
      await this.assertUsable(id);
      await this.unit.write((transaction) =>
        this.audit.record(transaction, { action, actor, subject: id }),
      );
      return row;
    });
  }

  /** The engine has rules of its own, for keys above all, and checks them when it loads a client. */
  private async assertUsable(id: string): Promise<void> {
    try {
      await this.engine.provider.Client.find(id);
    } catch (error) {
      if (error instanceof errors.InvalidClientMetadata) {
        throw refused(error.error_description ?? error.message);
      }
      throw error;
    }
  }
}

function usesSecret(metadata: ClientRegistration): boolean {
  return metadata.token_endpoint_auth_method === 'client_secret_basic';
}

function found(row: Row | undefined): ClientView {
  if (!row) throw notFound('client');
  return toView(row);
}

function refused(detail: string): Problem {
  return new Problem({
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    code: 'client_metadata_invalid',
    detail,
  });
}

function isConfigured(): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'client_configured',
    detail: 'The client comes from the configuration. Change it there.',
  });
}
