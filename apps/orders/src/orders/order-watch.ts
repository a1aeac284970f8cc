import { Injectable, Logger } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { Notifications } from '@signet/database';
import { rootCause } from '@signet/http';
import { ORDERS_CHANNEL } from './order-changes.js';

/** Says when an order may have changed, whichever replica changed it. */
@Injectable()
export class OrderWatch implements OnApplicationBootstrap {
  private readonly watchers = new Map<string, Set<() => void>>();
  private readonly logger = new Logger(OrderWatch.name);

  constructor(private readonly notifications: Notifications) {}

  onApplicationBootstrap(): void {
    this.notifications
      .subscribe({
        channel: ORDERS_CHANNEL,
        onNotice: (id) => this.wake(this.watchers.get(id)),
        onGap: () => [...this.watchers.values()].forEach((watchers) => this.wake(watchers)),
      })
      .catch((error: unknown) =>
        this.logger.error(`Orders are not watched: ${String(rootCause(error))}`),
      );
  }

  /** @returns what ends the watch */
  watch(orderId: string, listener: () => void): () => void {
    const watchers = this.watchers.get(orderId) ?? new Set();
    this.watchers.set(orderId, watchers.add(listener));
    return () => {
      watchers.delete(listener);
      if (watchers.size === 0) this.watchers.delete(orderId);
    };
  }

  private wake(watchers: Iterable<() => void> = []): void {
    for (const listener of [...watchers]) listener();
  }
}
