import { setImmediate as turn } from 'node:timers/promises';
import { KeysUnavailableError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { TokenVerifier } from '../../token/verifier.js';
import { createKeyPair, createTestIssuer, TestClock } from '../../testing/index.js';
import type { JwksServer, TestIssuer } from '../../testing/index.js';
import type { RemoteKeysOptions } from './options.js';
import { RemoteKeys } from './remote-keys.js';

let clock: TestClock;
let issuer: TestIssuer;
let server: JwksServer;
let keys: RemoteKeys;

const DOWN = (response: { destroy(): unknown }) => void response.destroy();

function remoteKeys(options: Partial<RemoteKeysOptions> = {}): RemoteKeys {
  return new RemoteKeys({ jwksUri: server.jwksUri, ...options }, { issuer: issuer.issuer, clock });
}

/** Lets the exchange with the server go on until something is so. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Time passes, and the refresh that fell due on the way has ended. */
async function pass(seconds: number): Promise<void> {
  clock.advance(seconds);
  await Reflect.get(keys, 'refreshing');
}

/** Uses a token as often as it takes until it is remembered. */
async function remember(verifier: TokenVerifier, token: string): Promise<Principal> {
  await verifier.verify(token);
  return await verifier.verify(token);
}

/** What the same question gets from so many requests at once. */
function askAtOnce(times: number, kid: (index: number) => string): Promise<unknown[]> {
  return Promise.all(Array.from({ length: times }, async (_, i) => await keys.getKey(kid(i))));
}

beforeEach(async () => {
  clock = new TestClock();
  issuer = createTestIssuer({ clock });
  server = await issuer.serve();
  keys = remoteKeys();
});

afterEach(async () => {
  keys.close();
  await server.close();
});

describe('while the issuer cannot be reached', () => {
  it('known keys stay in use for an hour, then nothing can be told', async () => {
    await keys.start();
    const { kid } = issuer.keyPair;
    server.answerWith(DOWN);
    await pass(3590);
    expect(keys.getKey(kid)).toBeDefined();
    expect(keys.isReady()).toBe(true);
    await pass(11);
    await expect(keys.getKey(kid)).rejects.toThrow(KeysUnavailableError);
    expect(keys.isReady()).toBe(false);
  });

  it('remembered verifications end with the keys', async () => {
    await keys.start();
    const maxTokenLifetime = 7200;
    const verifier = new TokenVerifier({ ...issuer.options, keys, clock, maxTokenLifetime });
    const token = issuer.token({ lifetime: 7200 });
    const principal = await remember(verifier, token);
    server.answerWith(DOWN);
    await pass(3590);
    expect(verifier.verify(token)).toBe(principal);
    await pass(11);
    await expect(verifier.verify(token)).rejects.toThrow(KeysUnavailableError);
  });

  it('a service that never had keys says so, with the time to come back', async () => {
    server.answerWith(DOWN);
    await keys.start();
    expect(keys.isReady()).toBe(false);
    const error: unknown = await Promise.resolve(keys.getKey('any')).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(KeysUnavailableError);
    expect((error as KeysUnavailableError).retryAfter).toBeGreaterThanOrEqual(1);
  });

  it('a kid that nobody knows may be a new key: it is never called wrong', async () => {
    await keys.start();
    server.answerWith(DOWN);
    await expect(keys.getKey('new')).rejects.toThrow(KeysUnavailableError);
    await expect(keys.getKey('new')).rejects.toThrow(KeysUnavailableError);
  });

  it('it is asked once per back-off step, however many requests arrive', async () => {
    server.answerWith(DOWN);
    await keys.start();
    expect(server.requests).toBe(1);
    for (let i = 0; i < 1000; i++) {
      await expect(keys.getKey(`kid-${i}`)).rejects.toThrow(KeysUnavailableError);
    }
    expect(server.requests).toBe(1);
    await pass(1);
    expect(server.requests).toBe(2);
  });

  it('it is asked less and less often, but at least every 30 seconds', async () => {
    await keys.start();
    server.answerWith(DOWN);
    await pass(300);
    for (let i = 0; i < 8; i++) await pass(30);
    const before = server.requests;
    await pass(14);
    expect(server.requests).toBe(before);
    await pass(16);
    expect(server.requests).toBe(before + 1);
  });

  it('it is asked every other second by a service that has no keys', async () => {
    server.answerWith(DOWN);
    await keys.start();
    for (let i = 0; i < 8; i++) await pass(2);
    const before = server.requests;
    await pass(0.9);
    expect(server.requests).toBe(before);
    await pass(1.1);
    expect(server.requests).toBe(before + 1);
  });

  it('tokens verify again as soon as it answers', async () => {
    server.answerWith(DOWN);
    await keys.start();
    server.answerWith(undefined);
    await pass(1);
    expect(keys.isReady()).toBe(true);
    expect(keys.getKey(issuer.keyPair.kid)).toBeDefined();
    expect(await keys.getKey('made-up')).toBeUndefined();
  });
});

describe('the key set is refreshed in the background', () => {
  it.each([
    ['every five minutes when nothing is said', undefined, 200, 300],
    ['within max-age', 'public, max-age=60', 40, 60],
    ['not more often than every 3 seconds', 'max-age=0', 3, 5],
    ['not more often either when it must not be kept', 'no-store', 3, 5],
    ['within five minutes when max-age is longer', 'max-age=86400', 200, 300],
  ])('%s', async (_what, cacheControl, quiet, due) => {
    server.answerWith((response) => {
      if (cacheControl) response.setHeader('cache-control', cacheControl);
      response.end(JSON.stringify(issuer.jwks));
    });
    await keys.start();
    await pass(quiet);
    expect(server.requests).toBe(1);
    await pass(due - quiet);
    expect(server.requests).toBe(2);
  });

  it('counting the age that the answer had when it came', async () => {
    server.answerWith((response) => {
      response.setHeader('cache-control', 'max-age=200').setHeader('age', '150');
      response.end(JSON.stringify(issuer.jwks));
    });
    await keys.start();
    await pass(50);
    expect(server.requests).toBe(2);
  });

  it('also when a sleeping machine missed the time for it', async () => {
    const missed = new RemoteKeys(
      { jwksUri: server.jwksUri },
      { issuer: issuer.issuer, clock: { now: () => clock.now(), after: () => () => undefined } },
    );
    await missed.start();
    clock.advance(301);
    expect(missed.getKey(issuer.keyPair.kid)).toBeDefined();
    await until(() => server.requests === 2);
    missed.close();
  });

  it('and no more once the application has closed', async () => {
    await keys.start();
    keys.close();
    await pass(4000);
    expect(server.requests).toBe(1);
  });

  it('without a request of its own for each of a thousand that arrive at once', async () => {
    const { kid } = issuer.keyPair;
    const found = await askAtOnce(1000, () => kid);
    expect(found.every((key) => key !== undefined)).toBe(true);
    expect(server.requests).toBe(1);
  });
});

describe('a kid that nobody has seen', () => {
  it('is looked for once per cooldown, ten thousand made-up ones together', async () => {
    await keys.start();
    const flood = askAtOnce(10_000, (i) => `made-up-${i}`);
    // Meanwhile good tokens do not even wait.
    expect(keys.getKey(issuer.keyPair.kid)).not.toBeInstanceOf(Promise);
    expect((await flood).every((key) => key === undefined)).toBe(true);
    expect(server.requests).toBe(2);
    clock.advance(9);
    expect(await keys.getKey('made-up')).toBeUndefined();
    expect(server.requests).toBe(2);
    clock.advance(1);
    expect(await keys.getKey('made-up')).toBeUndefined();
    expect(server.requests).toBe(3);
  });

  it('is known before it signs, whatever was looked for in vain, when max-age is short', async () => {
    server.answerWith((response) => {
      response.setHeader('cache-control', 'max-age=1').end(JSON.stringify(issuer.jwks));
    });
    await keys.start();
    await keys.getKey('made-up');
    // Published now, and signing in seven seconds: still within the cooldown of the kid above.
    const { kid } = issuer.rotate();
    await pass(6);
    expect(keys.getKey(kid)).not.toBeInstanceOf(Promise);
    expect(keys.getKey(kid)).toBeDefined();
  });

  it('is found at its first request, even right after a scheduled refresh', async () => {
    await keys.start();
    await pass(300);
    const requests = server.requests;
    const { kid } = issuer.rotate();
    const first = await askAtOnce(50, () => kid);
    expect(first.every((key) => key !== undefined)).toBe(true);
    expect(server.requests).toBe(requests + 1);
  });

  it('is found when it was published while a refresh was under way', async () => {
    await keys.start();
    const before = JSON.stringify(issuer.jwks);
    let answer: (() => void) | undefined;
    server.answerWith((response) => (answer = () => response.end(before)));
    clock.advance(300);
    await until(() => answer !== undefined);
    const { kid } = issuer.rotate();
    const found = askAtOnce(2, () => kid);
    server.answerWith(undefined);
    answer?.();
    expect((await found).every((key) => key !== undefined)).toBe(true);
  });
});

describe('a key that the issuer withdraws', () => {
  it('is refused after the next refresh, with everything that was verified with it', async () => {
    await keys.start();
    const verifier = new TokenVerifier({ ...issuer.options, keys, clock });
    const old = issuer.keyPair;
    const token = issuer.token();
    await remember(verifier, token);
    issuer.rotate();
    issuer.withdraw(old);
    await pass(300);
    await expect(async () => await verifier.verify(token)).rejects.toThrow('unknown key');
  });

  it('takes nothing else with it', async () => {
    await keys.start();
    const verifier = new TokenVerifier({ ...issuer.options, keys, clock });
    const token = issuer.token();
    const principal = await remember(verifier, token);
    const { kid } = issuer.rotate();
    await pass(300);
    expect(verifier.verify(token)).toBe(principal);
    expect(keys.getKey(kid)).toBeDefined();
  });

  it('is refused when another key takes its name', async () => {
    await keys.start();
    const verifier = new TokenVerifier({ ...issuer.options, keys, clock });
    const token = issuer.token();
    await remember(verifier, token);
    const impostor = createKeyPair(issuer.keyPair.kid);
    server.answerWith((response) => response.end(JSON.stringify({ keys: [impostor.jwk] })));
    await pass(300);
    await expect(async () => await verifier.verify(token)).rejects.toThrow('signature');
  });

  it('leaves nothing that can be told when it was the last', async () => {
    await keys.start();
    const { kid } = issuer.keyPair;
    issuer.withdraw({ kid });
    await pass(300);
    await expect(keys.getKey(kid)).rejects.toThrow(KeysUnavailableError);
  });
});

describe('an answer that cannot be trusted changes nothing', () => {
  const weak = createKeyPair('weak', 1024).jwk;
  const good = () => issuer.keyPair.jwk;
  const json = (value: () => unknown) => () => JSON.stringify(value());
  it.each<[string, number, () => string]>([
    ['an error', 500, json(() => issuer.jwks)],
    ['a page that is not there', 404, () => '<html>'],
    ['a page of a proxy', 200, () => '<html>'],
    ['no content', 204, () => ''],
    ['half an object', 200, () => '{"keys":['],
    ['a member twice', 200, () => `{"keys":[],"keys":[${JSON.stringify(good())}]}`],
    ['a list', 200, json(() => [good()])],
    ['two keys of one kid', 200, json(() => ({ keys: [good(), good()] }))],
    ['a secret', 200, json(() => ({ keys: [good(), { kty: 'oct', k: 'eA', kid: 'x' }] }))],
    ['nothing but a weak key', 200, json(() => ({ keys: [weak] }))],
    ['a body without end', 200, () => `{"keys":[],"x":"${'x'.repeat(70_000)}"}`],
  ])('%s', async (_what, status, body) => {
    await keys.start();
    const key = keys.getKey(issuer.keyPair.kid);
    server.answerWith((response) => response.writeHead(status).end(body()));
    await pass(300);
    expect(server.requests).toBe(2);
    expect(keys.getKey(issuer.keyPair.kid)).toBe(key);
    await expect(keys.getKey('weak')).rejects.toThrow(KeysUnavailableError);
  });

  it('a redirect, which is not followed', async () => {
    const elsewhere = await createTestIssuer().serve();
    server.answerWith((response) => response.writeHead(302, { location: elsewhere.jwksUri }).end());
    await keys.start();
    expect(keys.isReady()).toBe(false);
    expect(elsewhere.requests).toBe(0);
    await elsewhere.close();
  });

  it('an answer that never comes', async () => {
    const impatient = remoteKeys({ fetchTimeout: 1 });
    server.answerWith(() => undefined);
    await impatient.start();
    await expect(impatient.getKey('any')).rejects.toThrow(KeysUnavailableError);
    impatient.close();
  });
});

describe('the options', () => {
  it.each<[string, Partial<RemoteKeysOptions>]>([
    ['plain http to another machine', { jwksUri: 'http://auth.example/jwks.json' }],
    [
      'plain http to a name that only starts like this machine',
      { jwksUri: 'http://127.0.0.1.example/' },
    ],
    ['plain http to localhost of somebody else', { jwksUri: 'http://localhost.example/' }],
    ['credentials in the address', { jwksUri: 'https://user:secret@auth.example/jwks.json' }],
    ['a file', { jwksUri: 'file:///etc/jwks.json' }],
    ['no address', { jwksUri: 'jwks.json' }],
    ['a refresh each second', { refreshInterval: 1 }],
    ['a refresh once a day', { refreshInterval: 86_400 }],
    ['keys that never go stale', { maxStale: Infinity }],
    ['keys that go stale between two refreshes', { maxStale: 60 }],
    ['no cooldown', { unknownKeyCooldown: 0 }],
    ['no timeout', { fetchTimeout: 0 }],
  ])('refuse %s at boot', (_what, options) => {
    expect(() => remoteKeys(options)).toThrow('keys.');
  });

  it('allow plain http to another machine only when that is said', () => {
    const jwksUri = 'http://auth/jwks.json';
    expect(() => remoteKeys({ jwksUri, allowPlainHttp: true })).not.toThrow();
  });
});
