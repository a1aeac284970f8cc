/**
 * Stands in for each process in the launcher's specs: keeps to its environment, its database and
 * the few routes that the launcher calls, and does wrong what it is told to.
 */
import { createServer } from 'node:http';
import process from 'node:process';
import { URL } from 'node:url';
import pg from 'pg';

const { HOST, PORT, DATABASE_URL, SIGNET_SEED_ACCOUNTS, NODE_STAND_IN } = process.env;

const ORDER = '018f-order';

const log = (level, msg, more) =>
  process.stdout.write(`${JSON.stringify({ level, time: 0, msg, ...more })}\n`);

if (NODE_STAND_IN === 'fails') {
  log(60, 'no keys, no service', { err: { stack: 'Error: no keys\n    at boot (keys.ts:1:1)' } });
  process.exit(7);
}

const database = new pg.Pool({ connectionString: DATABASE_URL });
database.on('error', () => undefined);
// The sandbox provider has none.
if (DATABASE_URL) {
  await database.query(
    'CREATE TABLE IF NOT EXISTS posts (key text PRIMARY KEY, path text, body json)',
  );
}

const routes = {
  'GET /health/ready': () => [200, {}],
  'GET /environment': () => [200, process.env],
  'GET /posts': async () => [200, (await database.query('SELECT * FROM posts')).rows],
  'GET /products': async () => {
    const { rows } = await database.query("SELECT body FROM posts WHERE path = '/products'");
    return [200, { items: rows.map(({ body }) => body), nextCursor: null }];
  },
  'POST /auth/login': ({ email, password }) => {
    const seeds = JSON.parse(SIGNET_SEED_ACCOUNTS);
    const known = seeds.some((seed) => seed.email === email && seed.password === password);
    return known ? [200, { access_token: `token of ${email}` }] : [401, {}];
  },
  'POST /orders': ({ items, paymentMethod }, headers) =>
    headers['idempotency-key'] && items[0].sku && paymentMethod === 'tok_ok'
      ? [202, { id: ORDER, status: 'pending', items }]
      : [400, {}],
  [`GET /orders/${ORDER}`]: (_body, { authorization }) =>
    authorization === 'Bearer token of customer@signet.test'
      ? [200, { id: ORDER, status: 'confirmed' }]
      : [401, {}],
  'POST /exit': () => process.exit(3),
  'POST /warn': () => {
    log(40, 'stock is low', { context: 'Stock' });
    return [200, {}];
  },
  'POST /miss-the-others': () => {
    process.once('SIGTERM', () => {
      log(40, 'where is everybody?');
      process.exit();
    });
    return [200, {}];
  },
  'POST /ignore-sigterm': () => {
    process.on('SIGTERM', () => undefined);
    return [200, {}];
  },
};

/** Anything else that is posted is kept, once for each Idempotency-Key. */
async function keep(path, headers, body) {
  if (headers.authorization !== 'Bearer token of warehouse@signet.test') return [401, {}];
  await database.query('INSERT INTO posts VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
    headers['idempotency-key'],
    path,
    body,
  ]);
  return [201, body];
}

createServer(async (request, response) => {
  const path = new URL(request.url, 'http://stand-in').pathname;
  const text = (await request.toArray()).join('');
  const body = text ? JSON.parse(text) : undefined;
  const route = routes[`${request.method} ${path}`];
  const [status, answer] = await (route
    ? route(body, request.headers)
    : keep(path, request.headers, body));
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}).listen(Number(PORT), HOST, () => log(30, 'listening'));
