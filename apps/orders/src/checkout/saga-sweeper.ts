import { Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { rootCause } from '@signet/http';
import { CHECKOUT_TIMING } from './checkout-timing.js';
import type { CheckoutTiming } from './checkout-timing.js';
import { SagaStore } from './saga-store.js';

/** Of one round; the rest is found in the next one. */
const AT_ONCE = 100;

/** Finds sagas that nobody goes on with, whatever became of their jobs. Every replica has one. */
@Injectable()
export class SagaSweeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(SagaSweeper.name);
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly store: SagaStore,
    @Inject(CHECKOUT_TIMING) private readonly timing: CheckoutTiming,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.sweep(), this.timing.stuckMs / 2).unref();
  }

  beforeApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private async sweep(): Promise<void> {
    try {
      const found = await this.store.recall(new Date(Date.now() - this.timing.stuckMs), AT_ONCE);
      if (found > 0) this.logger.warn(`${found} checkouts had been left alone.`);
    } catch (error) {
      this.logger.warn(
        `Checkouts that are stuck cannot be looked for: ${String(rootCause(error))}`,
      );
    }
  }
}
