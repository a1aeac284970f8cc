import { and, eq, gt, sql } from 'drizzle-orm';
import Provider from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { grants } from '../schema.js';
import type { SessionStore } from '../sessions/session-store.js';
import { requester } from './requester.js';
import type { UnitOfWork } from './unit-of-work.js';

/** Grants. One ends together with its session and everything that was ever issued from it. */
export class GrantAdapter implements Adapter {
  constructor(
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {}

  async upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void> {
    const row = { payload, expiresAt: new Date(Date.now() + expiresIn * 1000) };
    await this.unit.write((transaction) =>
      transaction
        .insert(grants)
        .values({ id, ...row })
        .onConflictDoUpdate({ target: grants.id, set: row }),
    );
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const known = this.unit.take(`grant ${id}`) as AdapterPayload | undefined;
    if (known) return known;
    const [grant] = await this.unit.read((executor) =>
      executor
        .select({ payload: grants.payload })
        .from(grants)
        .where(and(eq(grants.id, id), gt(grants.expiresAt, sql`now()`))),
    );
    return grant?.payload;
  }

  async destroy(id: string): Promise<void> {
    const ending = isReplay() ? 'token_reuse' : 'revoked';
    const actor = requester(Provider.ctx);
    await this.unit.write((transaction) => this.sessions.end(transaction, [id], ending, actor));
  }

  revokeByGrantId(id: string): Promise<void> {
    return this.destroy(id);
  }

  findByUid(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  findByUserCode(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  consume(): Promise<never> {
    return Promise.reject(new Error('grants are not consumed'));
  }
}

/** The token endpoint revokes a grant for one reason: something of it came that was exchanged before. */
function isReplay(): boolean {
  return Provider.ctx?.oidc.route === 'token';
}
