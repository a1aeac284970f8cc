/**
 * Makes the secrets of a compose deployment: `node make-secrets.mjs DIRECTORY`, which holds a folder
 * for each service. What exists is kept, so that the next start finds the same system.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const directory = process.argv[2];
const services = ['auth', 'orders', 'payments', 'inventory'];

/** Users of the images: `node` is 1000; the database's set-up reads as whichever user the image has. */
const NODE_USER = 1000;

const random = () => randomBytes(32).toString('base64url');

/** Reads a secret, making it first when it is not there. */
function secret(owner, name, make = random) {
  const path = join(directory, owner, name);
  if (!existsSync(path)) write(owner, name, make());
  return readFileSync(path, 'utf8');
}

function write(owner, name, value) {
  const path = join(directory, owner, name);
  writeFileSync(path, value, { mode: 0o400 });
  if (owner === 'postgres') chmodSync(path, 0o444);
  else chownSync(path, NODE_USER, NODE_USER);
}

secret('postgres', 'superuser-password');
for (const service of services) {
  const password = secret('postgres', `${service}-password`);
  secret(
    service,
    'database-url',
    () => `postgres://signet_${service}:${password}@postgres:5432/signet_${service}`,
  );
}

secret('auth', 'key-encryption-key');
secret('auth', 'cookie-secret');
const clientSecret = secret('auth', 'orders-client-secret');
secret('orders', 'client-secret', () => clientSecret);
for (const name of ['api-key', 'webhook-secret']) {
  const shared = secret('sandbox', name);
  secret('payments', `sandbox-${name}`, () => shared);
}

const chosen = process.env.SIGNET_DEMO_PASSWORD;
// Auth's own rule, checked before a password that it refuses is kept.
const { length } = Array.from((chosen ?? '').normalize('NFKC'));
if (chosen && (length < 12 || length > 128)) {
  console.error('SIGNET_DEMO_PASSWORD has the wrong length: expected 12 to 128 characters.');
  process.exit(1);
}
const demo = [
  ['admin@signet.test', 'admin'],
  ['warehouse@signet.test', 'warehouse'],
  ['support@signet.test', 'support'],
  ['customer@signet.test', 'customer'],
];
const accounts = () =>
  JSON.stringify(
    demo.map(([email, role]) => ({
      email,
      password: chosen || randomBytes(12).toString('base64url'),
      roles: [role],
      ...(chosen ? { resetPassword: true } : {}),
    })),
  );
if (chosen) write('auth', 'seed-accounts', accounts());

console.log('Demo accounts:');
for (const { email, password, roles } of JSON.parse(secret('auth', 'seed-accounts', accounts))) {
  console.log(`  ${email.padEnd(24)} ${roles.join(', ').padEnd(10)} ${password}`);
}
