import { Inject, Injectable, Logger } from '@nestjs/common';
import { rootCause } from '@signet/http';
import { INVENTORY_CONFIG } from '../config.js';
import type { InventoryConfig } from '../config.js';
import { ReservationsService } from './reservations.service.js';

/** Gives back what was held too long, in every replica. Nothing depends on it but what is free. */
@Injectable()
export class ReservationSweeper {
  private readonly logger = new Logger(ReservationSweeper.name);
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;
  private stopped = false;

  constructor(
    private readonly reservations: ReservationsService,
    @Inject(INVENTORY_CONFIG) private readonly config: InventoryConfig,
  ) {}

  onApplicationBootstrap(): void {
    const every = this.config.SIGNET_RESERVATION_SWEEP_SECONDS * 1000;
    this.timer = setInterval(() => void this.sweep(), every).unref();
  }

  /** Before the pool closes, which waits for `onApplicationShutdown`. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearInterval(this.timer);
    await this.sweeping;
  }

  /** Until nothing is left that another replica is not busy with. One at a time in each replica. */
  sweep(): Promise<void> {
    this.sweeping ??= this.expireAll().finally(() => (this.sweeping = undefined));
    return this.sweeping;
  }

  private async expireAll(): Promise<void> {
    const stuck = new Set<string>();
    while (!this.stopped && (await this.expireNext(stuck)));
  }

  /** One that cannot be given back does not keep the others. */
  private async expireNext(stuck: Set<string>): Promise<boolean> {
    const before = stuck.size;
    try {
      return await this.reservations.expireOne(stuck);
    } catch (error) {
      this.logger.warn(`A reservation that is over is still held: ${String(rootCause(error))}`);
      return stuck.size > before;
    }
  }
}
