import { Injectable } from '@nestjs/common';
import { Metrics } from '@signet/http';
import { Counter } from 'prom-client';

/** What to watch: a webhook that is signed and cannot be read is news that is lost. */
@Injectable()
export class WebhookMetrics {
  private readonly refusals: Counter<'reason'>;

  constructor(metrics: Metrics) {
    this.refusals = new Counter({
      name: 'payments_webhooks_refused_total',
      help: 'Webhooks that were refused: not_signed, or signed and unreadable.',
      labelNames: ['reason'],
      registers: [metrics.registry],
    });
  }

  refuses(reason: 'not_signed' | 'unreadable'): void {
    this.refusals.labels(reason).inc();
  }
}
