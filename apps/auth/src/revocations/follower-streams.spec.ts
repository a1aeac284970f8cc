import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';

const streams: IncomingMessage[] = [];

afterEach(() => {
  for (const stream of streams.splice(0)) stream.destroy();
});

async function open(auth: RunningAuth, headers: Record<string, string>): Promise<IncomingMessage> {
  const asked = request(`${auth.url}/revocations/stream`, { headers, agent: false });
  asked.end();
  const [stream] = (await once(asked, 'response')) as [IncomingMessage];
  stream.on('error', () => undefined);
  streams.push(stream);
  return stream;
}

async function textOf(stream: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

describe('the followers of one address', () => {
  let auth: RunningAuth;
  const from = (address: string) => open(auth, { 'x-forwarded-for': address });

  beforeAll(async () => {
    auth = await startAuth({
      environment: { SIGNET_REVOCATION_FOLLOWERS_PER_ADDRESS: '2', TRUSTED_PROXIES: '127.0.0.1' },
    });
  });

  it('take no more than their share of the places, and others find room', async () => {
    expect((await from('203.0.113.1')).statusCode).toBe(200);
    const second = await from('203.0.113.1');
    expect(second.statusCode).toBe(200);
    const third = await from('203.0.113.1');
    expect([third.statusCode, third.headers['retry-after']]).toEqual([429, '10']);
    expect(JSON.parse(await textOf(third))).toMatchObject({ code: 'too_many_followers' });
    expect((await from('203.0.113.2')).statusCode).toBe(200);

    second.destroy();
    while ((await from('203.0.113.1')).statusCode === 429) await sleep(10);
  });

  it('are those of one subscriber’s IPv6 network', async () => {
    for (const host of [1, 2]) expect((await from(`2001:db8::${host}`)).statusCode).toBe(200);
    expect((await from('2001:db8::3')).statusCode).toBe(429);
    expect((await from('2001:db8:0:1::3')).statusCode).toBe(200);
  });
});

describe('a follower that reads slowly', () => {
  it('is sent what it has missed as it reads, all of it, and little waits for it', async () => {
    const auth = await startAuth();
    await auth.query(
      `insert into revocations (kind, subject, until, cause, txn)
       select 'session', gen_random_uuid()::text, extract(epoch from now()) + 600, 'logout',
         gen_random_uuid() from generate_series(1, 500)`,
    );
    const published = async () =>
      (await auth.query('select from revocation_feed where seq = 500')).length;
    while (!(await published())) await sleep(20);
    while ((await open(auth, { 'last-event-id': '500' })).statusCode !== 200) await sleep(20);

    // Nothing leaves the service, as when nobody reads at the other end.
    const sockets: Socket[] = [];
    auth.app.getHttpServer().on('connection', (socket: Socket) => {
      socket.cork();
      sockets.push(socket);
    });
    const slow = Promise.all(
      Array.from({ length: 10 }, () => open(auth, { 'last-event-id': '0' })),
    );
    const waiting = () => sockets.map(({ writableLength }) => writableLength);
    while (waiting().filter((bytes) => bytes > 10_000).length < 10) await sleep(20);
    expect(Math.max(...waiting())).toBeLessThan(128 * 1024);

    for (const socket of sockets) socket.uncork();
    for (const stream of await slow) {
      let text = '';
      for await (const chunk of stream) {
        text += String(chunk);
        if (/^id: 500$/m.test(text) && text.includes('heartbeat')) break;
      }
      const seqs = [...text.matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq));
      expect(seqs).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    }
  });
});
