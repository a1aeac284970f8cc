import { Injectable } from '@nestjs/common';
import { TrustedIssuers } from '../issuers/trusted-issuers.js';
import type { IssuerStatus } from '../issuers/trusted-issuers.js';
import { CallCounts } from '../metrics/call-counts.js';
import type { CallCount } from '../metrics/call-counts.js';
import { LiveConnections } from './sockets/live-connections.js';
import { LiveStreams } from './streams/live-streams.js';

/** What the guard has done so far, and what it stands on now. */
export interface GuardMetricsSnapshot {
  /** Since the start. Calls of public routes that look at no token are not among them. */
  calls: readonly CallCount[];
  /** For each issuer: its tokens since the start, its keys and its revocations. */
  issuers: readonly IssuerStatus[];
  /** Sockets that are open and whose token is watched. */
  connections: number;
  /** Responses that go on for as long as their client listens and whose token is watched. */
  streams: number;
}

/**
 * The guard's numbers, to be read when somebody asks: nothing is pushed while a request waits. For
 * prom-client there is `exposeGuardMetrics` in `@signet/auth-guard/prometheus`; for others, read them in a
 * callback, as OpenTelemetry's observable instruments do.
 */
@Injectable()
export class GuardMetrics {
  /** @internal */
  constructor(
    private readonly calls: CallCounts,
    private readonly issuers: TrustedIssuers,
    private readonly connections: LiveConnections,
    private readonly streams: LiveStreams,
  ) {}

  /** What they are now. */
  read(): GuardMetricsSnapshot {
    return {
      calls: this.calls.list(),
      issuers: this.issuers.status(),
      connections: this.connections.size,
      streams: this.streams.size,
    };
  }
}
