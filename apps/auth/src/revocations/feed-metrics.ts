import { Injectable } from '@nestjs/common';
import { Metrics } from '@signet/http';
import { Gauge, Histogram } from 'prom-client';
import { RevocationFeed } from './feed.js';
import { FollowerStreams } from './follower-streams.js';

/** What an operator watches of the feed. */
@Injectable()
export class FeedMetrics {
  constructor(
    private readonly metrics: Metrics,
    private readonly feed: RevocationFeed,
    private readonly streams: FollowerStreams,
  ) {}

  /** When what had been published before has been read: that did not come late. */
  onApplicationBootstrap(): void {
    const { feed, streams } = this;
    this.gauge('followers', 'Followers connected to this replica.', () => streams.size);
    this.gauge('followers_dropped', 'Followers cut off for not reading.', () => streams.dropped);
    this.gauge('entries', 'Revocations in force.', () => feed.entries.size);
    this.gauge('seq', 'Revocations published so far.', () => feed.seq);
    this.gauge('age_seconds', 'Since this replica last knew the state of the feed.', () =>
      feed.age(),
    );
    const lag = new Histogram({
      name: 'signet_revocations_lag_seconds',
      help: 'From the writing of a revocation to its way to the followers of this replica.',
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [this.metrics.registry],
    });
    feed.onEntries((entries) => {
      for (const { createdAt } of entries) lag.observe((Date.now() - createdAt.getTime()) / 1000);
    });
  }

  private gauge(name: string, help: string, value: () => number): void {
    new Gauge({
      name: `signet_revocations_${name}`,
      help,
      registers: [this.metrics.registry],
      collect() {
        this.set(value());
      },
    });
  }
}
