import { Injectable } from '@nestjs/common';
import { Jobs } from '@signet/database';
import type { QueueOptions, Transaction } from '@signet/database';
import { and, inArray, isNull, sql } from 'drizzle-orm';
import { ConfiguredClients } from '../clients/configured-clients.js';
import { FIRST_PARTY, SIGN_ON } from '../clients/grants.js';
import { clients } from '../schema.js';

/** The queue of logout tokens to be delivered. */
export const LOGOUT_NOTICES = 'logout_notices';

/** An application that is down is tried for more than two hours. */
export const LOGOUT_QUEUE: QueueOptions = {
  concurrency: 4,
  retryLimit: 18,
  retryDelay: 2,
  retryDelayMax: 900,
  expireIn: 30,
};

/** A session whose end an application is told of. */
export interface LogoutNotice {
  sid: string;
  userId: string;
  clientId: string;
}

/** Nobody is to be told: they have no server of their own. */
const OUR_OWN: readonly string[] = [FIRST_PARTY, SIGN_ON];

/**
 * Tells applications that a session of theirs has ended (OpenID Connect Back-Channel Logout 1.0),
 * whatever it ended by. The notice is written down with the end of the session and delivered after it.
 */
@Injectable()
export class LogoutNotices {
  constructor(
    private readonly jobs: Jobs,
    private readonly configured: ConfiguredClients,
  ) {}

  /** @throws {Problem} 503 `jobs_unavailable`, and then nothing has ended */
  async announce(transaction: Transaction, ended: readonly LogoutNotice[]): Promise<void> {
    const concerned = ended.filter(({ clientId }) => !OUR_OWN.includes(clientId));
    if (concerned.length === 0) return;
    const listening = await this.listening(transaction, [
      ...new Set(concerned.map(({ clientId }) => clientId)),
    ]);
    for (const { sid, userId, clientId } of concerned) {
      if (!listening.has(clientId)) continue;
      const notice: LogoutNotice = { sid, userId, clientId };
      await this.jobs.send(transaction, LOGOUT_NOTICES, notice, { key: `${clientId} ${sid}` });
    }
  }

  /** Those of these clients that want to be told. */
  private async listening(transaction: Transaction, ids: string[]): Promise<Set<string>> {
    const registered = await transaction
      .select({ id: clients.id })
      .from(clients)
      .where(
        and(
          inArray(clients.id, ids),
          isNull(clients.disabledAt),
          sql`${clients.metadata} ->> 'backchannel_logout_uri' is not null`,
        ),
      );
    const configured = ids.filter((id) => this.configured.find(id)?.backchannel_logout_uri);
    return new Set([...registered.map(({ id }) => id), ...configured]);
  }
}
