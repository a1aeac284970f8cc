import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import { extendChain, REVOCATION_FEED, toLine } from '../revocation/feed-format.js';
import type { Revocation } from '../revocation/feed-format.js';
import { signJws } from './jws.js';
import type { TestIssuer } from './test-issuer.js';

/** What a test wants to be void. Everything that is left out concerns every token of the login. */
export interface TestRevocation {
  /** The `sid` of a login, … */
  sessionId?: string;
  /** … or the client whose tokens are void. */
  clientId?: string;
  /** Only tokens issued before, in seconds since the epoch. */
  before?: number;
  /** Seconds from now for which it is remembered, 600 by default. */
  lifetime?: number;
}

const HEARTBEAT_MS = 250;

/**
 * The revocation feed of a test issuer, signed with its key.
 *
 * @example
 * const feed = new TestRevocationFeed(issuer);
 * AuthGuardModule.forRoot({ ...issuer.options, revocation: { feed: { url: await feed.serve() } } });
 * feed.revoke({ sessionId: 'session-1' });
 */
export class TestRevocationFeed {
  private readonly events: string[] = [];
  private readonly entries: Revocation[] = [];
  private readonly streams = new Set<ServerResponse>();
  private chain: string = REVOCATION_FEED.genesis;
  private beating: NodeJS.Timeout | undefined;
  private readonly server = createServer((request, response) => {
    if (request.url === '/revocations') response.end(this.snapshot());
    else this.stream(response, Number(request.headers['last-event-id'] ?? this.events.length));
  });

  constructor(
    private readonly issuer: TestIssuer,
    private readonly clock: Clock = systemClock,
  ) {}

  /** How many entries there have been. */
  get seq(): number {
    return this.events.length;
  }

  /** Makes tokens void, and tells whoever follows. Returns the Security Event Token. */
  revoke({ sessionId, clientId, before, lifetime = 600 }: TestRevocation): string {
    const until = Math.floor(this.clock.now() / 1000) + lifetime;
    const revocation: Revocation = {
      ...(clientId === undefined
        ? { kind: 'session', id: sessionId ?? 'session-1' }
        : { kind: 'client', id: clientId }),
      until,
      ...(before !== undefined && { before }),
    };
    this.chain = extendChain(this.chain, revocation);
    this.entries.push(revocation);
    const event = this.sign(REVOCATION_FEED.eventType, this.eventClaims(revocation));
    this.events.push(event);
    for (const stream of this.streams) stream.write(toEvent('revocation', event, this.seq));
    return event;
  }

  /** A message of the feed with claims of a test's own. */
  sign(typ: string, claims: Record<string, unknown>): string {
    const { kid, privateKey } = this.issuer.keyPair;
    const common = { iss: this.issuer.issuer, aud: REVOCATION_FEED.audience };
    const iat = Math.floor(this.clock.now() / 1000);
    return signJws({ alg: 'RS256', typ, kid }, { ...common, iat, ...claims }, privateKey);
  }

  /** The message that says that nothing was missed. */
  heartbeat(): string {
    const claims = { seq: this.seq, chain: this.chain, as_of: this.clock.now() };
    return this.sign(REVOCATION_FEED.heartbeatType, claims);
  }

  /** What a follower is told first: all that is in force, signed. */
  snapshot(): Buffer {
    const lines = this.entries.map((entry) => `${toLine(entry)}\n`).join('');
    const head = this.sign(REVOCATION_FEED.snapshotType, {
      seq: this.seq,
      chain: this.chain,
      as_of: this.clock.now(),
      exp: Math.floor(this.clock.now() / 1000) + 60,
      count: this.entries.length,
      sha256: createHash('sha256').update(lines).digest('base64url'),
    });
    return Buffer.from(`${head}\n${lines}`);
  }

  /** Publishes the feed on a port of this machine, a free one by default. Returns its address. */
  async serve(at = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(at, '127.0.0.1', resolve));
    this.server.unref();
    this.beating = setInterval(() => {
      for (const stream of this.streams) stream.write(toEvent('heartbeat', this.heartbeat()));
    }, HEARTBEAT_MS).unref();
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/revocations`;
  }

  /** Breaks all connections. */
  disconnect(): void {
    this.server.closeAllConnections();
  }

  /** Ends it, and what connections there are. */
  async close(): Promise<void> {
    clearInterval(this.beating);
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private eventClaims({ kind, id, until, before }: Revocation): Record<string, unknown> {
    const subject = { format: 'opaque', id };
    const event_timestamp = Math.floor(this.clock.now() / 1000);
    return {
      jti: randomUUID(),
      sub_id: kind === 'session' ? subject : { format: 'complex', application: subject },
      events:
        before === undefined
          ? { [REVOCATION_FEED.sessionRevoked]: { event_timestamp } }
          : { [REVOCATION_FEED.tokenClaimsChange]: { event_timestamp, claims: { roles: null } } },
      until,
      ...(before !== undefined && { before }),
      seq: this.events.length + 1,
      chain: this.chain,
    };
  }

  private stream(response: ServerResponse, after: number): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const missed = this.events.slice(after);
    response.write(
      missed.map((event, index) => toEvent('revocation', event, after + index + 1)).join(''),
    );
    response.write(toEvent('heartbeat', this.heartbeat()));
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
  }
}

function toEvent(type: string, data: string, id?: number): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${type}\ndata: ${data}\n\n`;
}
