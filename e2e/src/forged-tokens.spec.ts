import { signWithPublicKey, tamper, unsign } from '@signet/auth-guard/testing';
import type { JsonWebKey } from 'node:crypto';
import { Client, SERVICES, world } from './system/world.ts';
import type { Service } from './system/world.ts';

const client = new Client(world());

/** A route of each service that wants a token; inventory's then answers 404. */
const GUARDED: Record<Service, string> = {
  auth: 'GET /admin/users',
  orders: 'GET /admin/orders',
  payments: 'GET /admin/payments',
  inventory: 'GET /products/NO-SUCH-SKU/movements',
};

/** The services that other services call, and what they need for it. */
const CALLED_BY_SERVICES = [
  ['payments', 'payments:charge'],
  ['inventory', 'inventory:reserve'],
] as const;

async function publishedKey(): Promise<JsonWebKey> {
  const { body } = await client.call('auth', 'GET /.well-known/jwks.json');
  const [key] = body.keys as JsonWebKey[];
  if (!key) throw new Error('No key is published.');
  return key;
}

describe.each(SERVICES)('%s', (service) => {
  let token: string;
  let key: JsonWebKey;

  beforeAll(async () => {
    token = await client.tokenOf('admin');
    key = await publishedKey();
  });

  it('accepts the real token', async () => {
    const answer = await client.call(service, GUARDED[service], { token });
    expect(answer.status).toBe(service === 'inventory' ? 404 : 200);
  });

  it.each<[string, (token: string, key: JsonWebKey) => string, string]>([
    ['with another subject', (good) => tamper(good), 'token_signature_invalid'],
    ['with `alg: none`', (good) => unsign(good), 'token_algorithm_invalid'],
    ['with `alg: None`', (good) => unsign(good, 'None'), 'token_algorithm_invalid'],
    [
      'signed HS256 with the public key',
      (good, publicKey) => signWithPublicKey(good, publicKey),
      'token_algorithm_invalid',
    ],
    ['cut short', (good) => good.slice(0, -2), 'token_signature_invalid'],
    ['that is no token', () => 'letmein', 'token_malformed'],
  ])('refuses one %s', async (_what, forge, code) => {
    const answer = await client.call(service, GUARDED[service], { token: forge(token, key) });
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ code });
    expect(answer.headers.get('www-authenticate')).toMatch(/error="invalid_token"/);
  });

  it('refuses a refresh token in the place of an access token', async () => {
    const { refresh_token } = await client.register();
    const answer = await client.call(service, GUARDED[service], { token: refresh_token });
    expect(answer.status).toBe(401);
  });

  it("refuses a service's token for another audience", async () => {
    for (const [called, scope] of CALLED_BY_SERVICES) {
      if (called === service) continue;
      const answer = await client.call(service, GUARDED[service], {
        token: await client.serviceToken(`urn:signet:${called}`, scope),
      });
      expect([answer.status, answer.body.code]).toEqual([401, 'token_audience_invalid']);
    }
  });

  it('never repeats a token in its answer', async () => {
    const forged = tamper(token);
    const answer = await client.call(service, GUARDED[service], { token: forged });
    expect(answer.text + JSON.stringify([...answer.headers])).not.toContain(forged.slice(0, 20));
  });
});

it.each(CALLED_BY_SERVICES)("%s opens no user's route to a service", async (service, scope) => {
  const answer = await client.call(service, GUARDED[service], {
    token: await client.serviceToken(`urn:signet:${service}`, scope),
  });
  expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
});
