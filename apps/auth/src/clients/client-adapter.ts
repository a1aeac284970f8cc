import { and, eq, isNull } from 'drizzle-orm';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { UnitOfWork } from '../oidc/unit-of-work.js';
import { clients } from '../schema.js';
import { engineClient } from './engine-client.js';

/**
 * The registered clients, for the engine. Each look-up reads the row, so that a change made on another
 * replica is seen by the next request; what is expensive, to check and prepare the metadata, the
 * engine remembers for as long as the row says the same.
 */
export class ClientAdapter implements Adapter {
  constructor(private readonly unit: UnitOfWork) {}

  async find(id: string): Promise<AdapterPayload | undefined> {
    const [client] = await this.unit.read((executor) =>
      executor
        .select()
        .from(clients)
        .where(and(eq(clients.id, id), isNull(clients.disabledAt))),
    );
    return client && engineClient(client.id, client.metadata, currentHashes(client));
  }

  findByUid(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  upsert(): Promise<never> {
    return readOnly();
  }

  consume(): Promise<never> {
    return readOnly();
  }

  destroy(): Promise<never> {
    return readOnly();
  }

  revokeByGrantId(): Promise<never> {
    return readOnly();
  }
}

function currentHashes(client: typeof clients.$inferSelect): string | undefined {
  if (client.secretHash === null) return undefined;
  const { previousSecretHash, previousSecretUntil } = client;
  const overlaps = previousSecretUntil !== null && previousSecretUntil.getTime() > Date.now();
  return overlaps && previousSecretHash !== null
    ? `${client.secretHash} ${previousSecretHash}`
    : client.secretHash;
}

function readOnly(): Promise<never> {
  return Promise.reject(new Error('clients are changed through the administration'));
}
