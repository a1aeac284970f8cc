import { Module } from '@nestjs/common';
import { MetricsModule } from '@signet/http';
import { KeysModule } from '../keys/keys.module.js';
import { FeedDatabase } from './feed-database.js';
import { FeedMetrics } from './feed-metrics.js';
import { FeedRunner } from './feed-runner.js';
import { FeedSigner } from './feed-signer.js';
import { RevocationFeed } from './feed.js';
import { FollowerStreams } from './follower-streams.js';
import { RevocationPublisher } from './publisher.js';
import { RevocationLog } from './revocation-log.js';
import { RevocationsController } from './revocations.controller.js';
import { RevocationSnapshots } from './snapshot.js';
import { WakeUp } from './wake-up.js';

/** Which tokens are void before their time: the log that causes write to, and the feed made of it. */
@Module({
  imports: [KeysModule, MetricsModule],
  controllers: [RevocationsController],
  providers: [
    RevocationLog,
    FeedDatabase,
    FeedSigner,
    RevocationPublisher,
    RevocationFeed,
    FollowerStreams,
    RevocationSnapshots,
    WakeUp,
    FeedRunner,
    FeedMetrics,
  ],
  exports: [RevocationLog, RevocationFeed],
})
export class RevocationFeedModule {}
