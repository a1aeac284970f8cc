import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { InjectPool } from '../tokens.js';

const RETRY_MS = 1_000;

interface Subscription {
  channel: string;
  /** Called with each payload. */
  onNotice: (payload: string) => void;
  /** Called whenever notices may have been missed: once at first, and after each lost connection. */
  onGap: () => void;
}

/**
 * What PostgreSQL's NOTIFY says, over one connection of the service's own. Only a messenger: whoever
 * subscribes must also find by itself what a lost connection kept from it, which `onGap` is for.
 */
@Injectable()
export class Notifications implements OnApplicationShutdown {
  private readonly logger = new Logger(Notifications.name);
  private readonly subscriptions = new Set<Subscription>();
  private client: Promise<pg.Client | undefined> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(@InjectPool() private readonly pool: pg.Pool) {}

  /** @returns what ends the subscription */
  async subscribe(subscription: Subscription): Promise<() => void> {
    this.subscriptions.add(subscription);
    const connected = this.client !== undefined;
    this.client ??= this.connect();
    const client = await this.client;
    if (connected && client) {
      await client.query(`listen ${pg.escapeIdentifier(subscription.channel)}`);
      subscription.onGap();
    }
    return () => this.subscriptions.delete(subscription);
  }

  async onApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    const client = await this.client;
    await client?.end().catch(() => undefined);
  }

  private async connect(): Promise<pg.Client | undefined> {
    const { connectionString, application_name } = this.pool.options;
    const client = new pg.Client({
      connectionString,
      application_name: `${application_name ?? 'service'} notifications`,
      keepAlive: true,
    });
    let isLost = false;
    const onLost = (error?: Error) => {
      if (isLost || this.isClosed) return;
      isLost = true;
      this.logger.warn(`Not notified by the database: ${error?.message ?? 'connection ended'}`);
      void client.end().catch(() => undefined);
      this.timer = setTimeout(() => {
        this.client = this.connect();
      }, RETRY_MS).unref();
    };
    client.on('error', onLost);
    client.on('end', () => onLost());
    client.on('notification', ({ channel, payload = '' }) => this.deliver(channel, payload));
    try {
      await client.connect();
      await this.listen(client);
      return client;
    } catch (error) {
      onLost(error as Error);
      return undefined;
    }
  }

  private async listen(client: pg.Client): Promise<void> {
    const channels = new Set([...this.subscriptions].map(({ channel }) => channel));
    for (const channel of channels) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    for (const { onGap } of this.subscriptions) onGap();
  }

  private deliver(from: string, payload: string): void {
    for (const { channel, onNotice } of this.subscriptions) if (channel === from) onNotice(payload);
  }
}
