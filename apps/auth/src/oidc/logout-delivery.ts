import { Injectable } from '@nestjs/common';
import { Jobs } from '@signet/database';
import type { Client } from 'oidc-provider';
import { randomUUID } from 'node:crypto';
import { OidcEngine } from './engine.js';
import { LOGOUT_NOTICES } from './logout-notices.js';
import type { LogoutNotice } from './logout-notices.js';

const PATIENCE_MS = 5_000;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * Delivers logout tokens. Administrators name the addresses, nobody else can, so that hosts in our own
 * network are as good as any; where they lead on to is followed nowhere, and what they answer is not
 * read.
 */
@Injectable()
export class LogoutDelivery {
  constructor(
    private readonly jobs: Jobs,
    private readonly engine: OidcEngine,
  ) {}

  onModuleInit(): void {
    this.jobs.work<LogoutNotice>(LOGOUT_NOTICES, (notice, { signal }) =>
      this.deliver(notice, signal),
    );
  }

  private async deliver(notice: LogoutNotice, signal: AbortSignal): Promise<void> {
    const client = await this.engine.provider.Client.find(notice.clientId);
    const uri = client?.backchannelLogoutUri;
    // Disabled meanwhile, or it does not want to be told any more.
    if (!client || uri === undefined) return;
    const token = await this.logoutToken(client, notice);
    const response = await fetch(uri, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]),
    });
    await response.body?.cancel();
    if (!response.ok) {
      throw new Error(`the client ${client.clientId} answered ${response.status}`);
    }
  }

  /** Section 2.4. Made afresh for each attempt, because it is good for two minutes. */
  private logoutToken(client: Client, { sid, userId }: LogoutNotice): Promise<string> {
    const token = new this.engine.provider.IdToken({ sub: userId }, { client });
    const claims = { sub: userId, sid, jti: randomUUID(), events: { [EVENT]: {} } };
    for (const [name, value] of Object.entries(claims)) token.set(name, value);
    return token.issue({ use: 'logout' });
  }
}
