import { HttpStatus, Inject, Injectable, Logger } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { AuthError, LiveStreams } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { Problem } from '@signet/http';
import type { FastifyReply } from 'fastify';
import type { ServerResponse } from 'node:http';
import { isFinal } from './order-states.js';
import { ORDER_LIMITS } from './order-limits.js';
import type { OrderLimits } from './order-limits.js';
import { toCustomer } from './order.schema.js';
import { OrderWatch } from './order-watch.js';
import { OrdersService } from './orders.service.js';

/** Keeps proxies from closing what they take for dead. */
const HEARTBEAT_MS = 15_000;
const STREAMS_OF_ONE_USER = 10;
/** Of bytes that a client leaves unread. */
const MOST_UNREAD = 64 * 1024;

/** An order as server-sent events (WHATWG HTML section 9.2): what it is now, then each change. */
@Injectable()
export class OrderStream implements BeforeApplicationShutdown {
  private readonly logger = new Logger(OrderStream.name);
  private readonly open = new Map<ServerResponse, string>();

  constructor(
    private readonly orders: OrdersService,
    private readonly watch: OrderWatch,
    private readonly streams: LiveStreams,
    @Inject(ORDER_LIMITS) private readonly limits: OrderLimits,
  ) {}

  /**
   * Answers with the stream, which ends when the token of `user` does, or nothing is left to be told.
   * HEAD is answered with its head.
   *
   * @throws {Problem} 404 when the order is not theirs; 429 or 503 `too_many_streams`
   */
  async follow(id: string, user: Principal, reply: FastifyReply): Promise<void> {
    const { raw } = reply;
    if (raw.req.method === 'HEAD') {
      await this.orders.readVersion(id, user.subject);
      this.writeHead(reply);
      return void raw.end();
    }
    this.assertFew(user.subject);
    // Counted before anything is waited for, so that many at once are not let in one by one.
    this.open.set(raw, user.subject);
    raw.once('close', () => this.open.delete(raw));
    let sent = (await this.orders.readVersion(id, user.subject)).version - 1;
    this.writeHead(reply);
    this.endWithToken(reply, user);
    const push = async () => {
      const { version, body, isIdle } = await this.orders.readVersion(id, user.subject);
      if (raw.writableEnded) return;
      if (version > sent) {
        sent = version;
        this.write(
          raw,
          `id: ${version}\nevent: order\ndata: ${JSON.stringify(toCustomer(body))}\n\n`,
        );
      }
      if (isIdle && isFinal(body.status)) this.end(raw, 'final');
    };
    // One after the other, so that an older state never follows a newer one.
    let pushing = Promise.resolve();
    const pushNext = () => {
      pushing = pushing.then(push).catch((error: unknown) => {
        this.logger.warn(`The stream of order ${id} ends: ${String(error)}`);
        raw.end();
      });
    };
    const unwatch = this.watch.watch(id, pushNext);
    const heartbeat = setInterval(() => this.write(raw, ':\n\n'), HEARTBEAT_MS).unref();
    raw.once('close', () => {
      unwatch();
      clearInterval(heartbeat);
    });
    pushNext();
  }

  /** So that the server need not wait for those who listen. */
  beforeApplicationShutdown(): void {
    for (const raw of this.open.keys()) raw.end();
  }

  private writeHead(reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(HttpStatus.OK, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      // An idle connection that was kept would keep a service from stopping.
      connection: 'close',
    });
  }

  private endWithToken(reply: FastifyReply, user: Principal): void {
    const { raw } = reply;
    const over = this.streams.untilOver(user, reply);
    const end = () => {
      const code = over.reason instanceof AuthError ? over.reason.code : 'token_expired';
      this.end(raw, code);
    };
    if (over.aborted) end();
    else over.addEventListener('abort', end, { once: true });
  }

  private end(raw: ServerResponse, code: string): void {
    if (!raw.writableEnded) raw.end(`event: end\ndata: ${JSON.stringify({ code })}\n\n`);
  }

  private write(raw: ServerResponse, text: string): void {
    if (raw.writableLength > MOST_UNREAD) raw.destroy();
    else if (!raw.writableEnded) raw.write(text);
  }

  private assertFew(subject: string): void {
    const theirs = [...this.open.values()].filter((owner) => owner === subject);
    if (theirs.length >= STREAMS_OF_ONE_USER) {
      const detail = `At most ${STREAMS_OF_ONE_USER} streams at once.`;
      throw tooManyStreams(HttpStatus.TOO_MANY_REQUESTS, detail);
    }
    if (this.open.size < this.limits.streams) return;
    throw tooManyStreams(HttpStatus.SERVICE_UNAVAILABLE, 'Too many follow their orders right now.');
  }
}

function tooManyStreams(status: HttpStatus, detail: string): Problem {
  return new Problem({ status, code: 'too_many_streams', detail, retryAfter: 30 });
}
