import { Injectable } from '@nestjs/common';
import { Metrics } from '@signet/http';
import { Counter } from 'prom-client';

/** What to watch: a webhook that is signed and cannot be read, or cannot be true, is news that is lost. */
@Injectable()
export class WebhookMetrics {
  private readonly refusals: Counter<'reason'>;

  constructor(metrics: Metrics) {
    this.refusals = new Counter({
      name: 'payments_webhooks_refused_total',
      help: 'Webhooks that were refused: not_signed, or signed and unreadable, or not possible (contradicts).',
      labelNames: ['reason'],
      registers: [metrics.registry],
    });
  }

  refuses(reason: 'not_signed' | 'unreadable' | 'contradicts'): void {
    this.refusals.labels(reason).inc();
  }
}
