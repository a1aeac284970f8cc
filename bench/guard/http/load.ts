import { Client } from 'undici';
import type { Dispatcher } from 'undici';

export interface LoadOptions {
  port: number;
  /** What each connection sends, over and over. */
  tokens: readonly (readonly string[])[];
  seconds: number;
}

export interface LoadResult {
  requests: number;
  /** What the quickest connection has sent of it. */
  sentEach: number;
  seconds: number;
  /** Answers other than 200, and requests that failed. */
  failures: number;
}

/** Requests on the way on each connection: the server never waits for this process. */
const PIPELINING = 8;

/** A process of its own, so that sending costs the server nothing. */
process.on('message', (options: LoadOptions) => {
  void send(options).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit());

async function send({ port, tokens, seconds }: LoadOptions): Promise<LoadResult> {
  const connections = tokens.map((own) => new Connection(`http://127.0.0.1:${port}`, own));
  const start = performance.now();
  const until = start + seconds * 1000;
  await Promise.all(connections.map((connection) => connection.runUntil(until)));
  const elapsed = (performance.now() - start) / 1000;
  await Promise.all(connections.map((connection) => connection.close()));
  const sum = (count: (connection: Connection) => number) =>
    connections.reduce((total, connection) => total + count(connection), 0);
  return {
    requests: sum(({ answered }) => answered),
    sentEach: Math.max(...connections.map(({ sent }) => sent)),
    seconds: elapsed,
    failures: sum(({ failures }) => failures),
  };
}

/** One connection that always has the same number of requests on the way. */
class Connection {
  answered = 0;
  failures = 0;
  sent = 0;
  private onTheWay = 0;
  private until = 0;
  private done: () => void = () => undefined;
  private readonly client: Client;
  private readonly requests: readonly Dispatcher.DispatchOptions[];
  private readonly handler: Dispatcher.DispatchHandler;

  constructor(origin: string, tokens: readonly string[]) {
    this.client = new Client(origin, { pipelining: PIPELINING });
    this.requests = tokens.map((token) => ({
      method: 'GET',
      path: '/orders',
      headers: ['authorization', `Bearer ${token}`],
    }));
    this.handler = {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        if (status !== 200) this.failures += 1;
      },
      onResponseData: () => undefined,
      onResponseEnd: () => this.next(),
      onResponseError: () => {
        this.failures += 1;
        this.next();
      },
    };
  }

  runUntil(until: number): Promise<void> {
    this.until = until;
    return new Promise((resolve) => {
      this.done = resolve;
      for (let i = 0; i < PIPELINING; i++) this.send();
    });
  }

  close(): Promise<void> {
    return this.client.close();
  }

  private send(): void {
    const request = this.requests[this.sent++ % this.requests.length];
    if (!request) return;
    this.onTheWay += 1;
    this.client.dispatch(request, this.handler);
  }

  private next(): void {
    this.answered += 1;
    this.onTheWay -= 1;
    if (performance.now() < this.until) this.send();
    else if (this.onTheWay === 0) this.done();
  }
}
