import { Injectable } from '@nestjs/common';
import { InjectDatabase } from '@signet/database';
import type { Database } from '@signet/database';
import { decodeCursor, notFound, toPage } from '@signet/http';
import type { Page } from '@signet/http';
import { desc, eq, sql } from 'drizzle-orm';
import { position } from '../position.js';
import { clients } from '../schema.js';
import { clientId } from './client.schema.js';
import type { ClientQuery, ClientView, ConfiguredClient } from './client.schema.js';
import { ConfiguredClients } from './configured-clients.js';

const newestFirst = position(clientId);

/** Before every registered client, so that configured ones come last in the list. */
const CONFIGURED_AT = new Date('2000-01-01T00:00:00Z');

interface Entry {
  at: Date;
  view: ClientView;
}

/** The clients as administrators see them. */
@Injectable()
export class ClientDirectory {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly configured: ConfiguredClients,
  ) {}

  /** All clients, the newest first, those of the configuration last. */
  async list({ limit, cursor }: ClientQuery): Promise<Page<ClientView>> {
    const after = decodeCursor(cursor, newestFirst);
    const rows = await this.database
      .select()
      .from(clients)
      .where(
        after &&
          sql`(${clients.createdAt}, ${clients.id}) < (${after[0]}::timestamptz, ${after[1]})`,
      )
      .orderBy(desc(clients.createdAt), desc(clients.id))
      .limit(limit + 1);
    const entries = [
      ...rows.map((row) => ({ at: row.createdAt, view: toView(row) })),
      ...this.configuredAfter(after),
    ];
    const page = toPage(entries.slice(0, limit + 1), limit, ({ at, view }) => [
      at.toISOString(),
      view.client_id,
    ]);
    return { ...page, items: page.items.map(({ view }) => view) };
  }

  /** @throws {Problem} 404 */
  async read(id: string): Promise<ClientView> {
    const configured = this.configured.find(id);
    if (configured) return configuredView(configured);
    const [row] = await this.database.select().from(clients).where(eq(clients.id, id));
    if (!row) throw notFound('client');
    return toView(row);
  }

  private configuredAfter(after: readonly [string, string] | undefined): Entry[] {
    const isLater = (id: string) =>
      !after || Date.parse(after[0]) > CONFIGURED_AT.getTime() || id < after[1];
    return this.configured.all
      .filter(({ client_id }) => isLater(client_id))
      .sort((one, other) => (one.client_id < other.client_id ? 1 : -1))
      .map((client) => ({ at: CONFIGURED_AT, view: configuredView(client) }));
  }
}

export function toView({
  id,
  metadata,
  createdAt,
  disabledAt,
}: typeof clients.$inferSelect): ClientView {
  return {
    ...metadata,
    client_id: id,
    client_id_issued_at: Math.floor(createdAt.getTime() / 1000),
    disabled: disabledAt !== null,
    configured: false,
  };
}

function configuredView({ client_secret: _secret, ...client }: ConfiguredClient): ClientView {
  const client_id_issued_at = CONFIGURED_AT.getTime() / 1000;
  return { ...client, client_id_issued_at, disabled: false, configured: true };
}
