import { Controller, Get, Header, Headers, HttpStatus, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Public } from '@signet/auth-guard';
import { Problem } from '@signet/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RevocationFeed } from './feed.js';
import { FeedRunner } from './feed-runner.js';
import { FollowerStreams } from './follower-streams.js';
import { RevocationSnapshots } from './snapshot.js';

const SEQ = /^\d{1,15}$/;

/** A service that lost its connection asks twice, and many may stand behind one address. */
const LIMIT = { rateLimit: { max: 12_000, timeWindow: '1 minute' } };

@ApiTags('revocations')
@Controller('revocations')
@Public()
export class RevocationsController {
  constructor(
    private readonly feed: RevocationFeed,
    private readonly runner: FeedRunner,
    private readonly streams: FollowerStreams,
    private readonly snapshots: RevocationSnapshots,
  ) {}

  @Get()
  @ApiOperation({
    summary:
      'Which tokens are void before their time: a signed head, and a line for each login that it speaks of',
    description:
      "Public, as a certificate authority's list is; has ids that mean nothing elsewhere.",
  })
  @RouteConfig(LIMIT)
  @ApiProduces('text/plain')
  @ApiResponse({ status: 200, description: 'A head signed as a JWS, a line feed, the entries' })
  @ApiResponse({ status: 304, description: 'What `If-None-Match` names is the latest' })
  @ApiResponse({ status: 503, description: 'Not known at the moment: `revocations_unavailable`' })
  async snapshot(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const snapshot = await this.snapshots.current();
    if (!snapshot) throw unavailable();
    void reply
      .header('cache-control', 'public, max-age=1')
      .header('etag', snapshot.etag)
      .header('vary', 'accept-encoding')
      .header('content-type', 'text/plain; charset=us-ascii');
    if (request.headers['if-none-match'] === snapshot.etag) {
      await reply.status(304).send();
      return;
    }
    const gzip = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
    if (gzip) void reply.header('content-encoding', 'gzip');
    await reply.send(gzip ? snapshot.gzipped : snapshot.plain);
  }

  @Get('stream')
  @ApiOperation({
    summary:
      'What is added from now on, or from the entry after `Last-Event-ID`, as Security Event Tokens, and a signed heartbeat a second',
  })
  @RouteConfig(LIMIT)
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Number of an entry' })
  @ApiProduces('text/event-stream')
  @ApiResponse({ status: 200, description: 'Events `revocation` and `heartbeat`, each a JWS' })
  @ApiResponse({ status: 410, description: 'Begin with the snapshot: `revocations_gone`' })
  @ApiResponse({
    status: 429,
    description: 'Too many requests, or, as `too_many_followers`, too many streams at once',
  })
  @ApiResponse({ status: 503, description: 'Not now: `revocations_unavailable`' })
  @Header('cache-control', 'no-store')
  async stream(
    @Req() { ip }: FastifyRequest,
    @Res() reply: FastifyReply,
    @Headers('last-event-id') lastEventId: string | undefined,
  ): Promise<void> {
    if (this.streams.hasRoom && !this.streams.hasRoomFor(ip)) throw tooMany();
    const seq = SEQ.test(lastEventId ?? '') ? Number(lastEventId) : this.feed.seq;
    // Another replica may know more than this one does yet.
    if (seq > this.feed.seq) await this.feed.refresh();
    if (!this.streams.hasRoom || !this.feed.confirmed) throw unavailable();
    if (!this.feed.since(seq)) throw gone();
    reply.hijack();
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    });
    if (reply.raw.req.method === 'HEAD') return void reply.raw.end();
    reply.raw.flushHeaders();
    // Behind what is about to go out, so that nothing is sent twice and nothing left out.
    this.runner.send(() => {
      if (reply.raw.destroyed || !this.streams.hasRoomFor(ip)) reply.raw.destroy();
      else this.streams.add(reply.raw, ip, seq);
    });
  }
}

function unavailable(): Problem {
  return new Problem({
    status: HttpStatus.SERVICE_UNAVAILABLE,
    code: 'revocations_unavailable',
    detail: 'The revocation feed cannot be served at the moment.',
    retryAfter: 2,
  });
}

function tooMany(): Problem {
  return new Problem({
    status: HttpStatus.TOO_MANY_REQUESTS,
    code: 'too_many_followers',
    detail: 'There are as many streams as one address may have. End one of them.',
    retryAfter: 10,
  });
}

function gone(): Problem {
  return new Problem({
    status: HttpStatus.GONE,
    code: 'revocations_gone',
    detail: 'Entries since then are not kept. Begin with GET /revocations.',
  });
}
