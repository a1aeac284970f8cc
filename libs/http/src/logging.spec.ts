import fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import { pinoHttp } from 'pino-http';
import { randomBytes } from 'node:crypto';
import { loggerOptions } from './logging.js';
import { issuer } from './testing/service-of.js';
import { traceRequests } from './tracing/trace-requests.js';
import { startTracing } from './tracing/tracing.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

interface Line {
  msg: string;
  level: number;
  err?: { stack: string };
  trace_id?: string;
  req: { path: string };
}

let lines: Line[];
let app: FastifyInstance;

beforeAll(async () => {
  await startTracing({ name: 'test' });
  app = fastify();
  traceRequests(app);
  const { pinoHttp: options } = loggerOptions('test', 'info');
  const log = pinoHttp(options as object, {
    write: (line: string) => lines.push(JSON.parse(line) as Line),
  });
  app.addHook('onRequest', (request, reply, done) => log(request.raw, reply.raw, () => done()));
  app.post('/work/*', async (request) => {
    await new Promise(setImmediate);
    (request.raw as unknown as { log: typeof log.logger }).log.info('working');
    return {};
  });
  app.get('/answers/:status', (request, reply) =>
    reply.status(Number((request.params as { status: string }).status)).send({}),
  );
  app.get('/*', () => ({}));
});

afterAll(() => app.close());
beforeEach(() => (lines = []));

const path = () => lines.at(-1)?.req.path;

describe('a log line', () => {
  it('has the trace of its request, which callers give', async () => {
    const headers = { traceparent: `00-${TRACE}-b7ad6b7169203331-01` };
    await app.inject({ method: 'POST', url: '/work/1', payload: { a: 1 }, headers });
    expect(lines.map(({ msg, trace_id: id }) => [msg, id])).toEqual([
      ['working', TRACE],
      ['request completed', TRACE],
    ]);
  });

  it('has a trace of its own where the caller gave none', async () => {
    await app.inject({ method: 'POST', url: '/work/1', payload: { a: 1 } });
    await app.inject('/other');
    const ids = lines.map((line) => line.trace_id);
    expect(ids).toEqual(Array(3).fill(expect.stringMatching(/^[\da-f]{32}$/)));
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('is a warning in one line when something is away for a while, an error when we fail', async () => {
    for (const status of [404, 503, 500]) await app.inject(`/answers/${status}`);
    expect(lines.map(({ level }) => level)).toEqual([30, 40, 50]);
    expect(lines.map(({ msg }) => msg)[1]).toBe('request answered with 503');
    expect(lines.map(({ err }) => err)[1]).toBeUndefined();
  });

  it('is not written for probes', async () => {
    await app.inject('/health/live');
    expect(lines).toEqual([]);
  });

  it.each([
    ['an access token', issuer.token()],
    ['a refresh token', randomBytes(32).toString('base64url')],
    ['an opaque token of 30 bytes', randomBytes(30).toString('base64url')],
  ])('has nothing of %s, wherever in the URL it is', async (_what, token) => {
    await app.inject(`/payments/${token}/refunds?access_token=${token}`);
    expect(path()).toBe('/payments/[redacted]/refunds');
    await app.inject(`/payments/id=${token}`);
    expect(JSON.stringify(lines)).not.toContain(token);
  });

  it('has the identifiers that things are found by', async () => {
    for (const id of ['018f0000-0000-7000-8000-000000000000', 'MUG-01.BLUE', 'orders']) {
      await app.inject(`/things/${id}`);
      expect(path()).toBe(`/things/${id}`);
    }
  });
});
