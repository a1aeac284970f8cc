import { Injectable } from '@nestjs/common';
import { Metrics } from '@signet/http';
import { Counter } from 'prom-client';
import type { ReservationStatus } from './reservation-states.js';

/** What to watch: reservations that expire are customers lost, refusals are stock that ran out. */
@Injectable()
export class ReservationMetrics {
  private readonly changes: Counter<'status'>;
  private readonly refusals: Counter;

  constructor(metrics: Metrics) {
    const registers = [metrics.registry];
    this.changes = new Counter({
      name: 'inventory_reservations_total',
      help: 'Reservations that came to each status.',
      labelNames: ['status'],
      registers,
    });
    this.refusals = new Counter({
      name: 'inventory_oversell_refusals_total',
      help: 'Reservations refused because there was too little stock.',
      registers,
    });
  }

  becomes(status: ReservationStatus): void {
    this.changes.labels(status).inc();
  }

  refuses(): void {
    this.refusals.inc();
  }
}
