import { keySource } from '../keys/from-options.js';
import type { KeySource } from '../keys/key-source.js';
import { createTestIssuer, TestClock } from '../testing/index.js';
import type { Principal } from './principal.js';
import { VerifiedTokens } from './verified-tokens.js';
import type { VerifiedToken } from './verified-tokens.js';
import { TokenVerifier } from './verifier.js';
import type { TokenVerifierOptions } from './verifier.js';

const clock = new TestClock();
const issuer = createTestIssuer({ clock });

/** A verifier whose keys are at hand, so that it answers at once. */
function verifierWith(options: Partial<TokenVerifierOptions> = {}): (token: string) => Principal {
  const keys = options.keys ?? keySource(issuer.keys, issuer.options);
  const verifier = new TokenVerifier({ ...issuer.options, clock, ...options, keys });
  return (token) => verifier.verify(token) as Principal;
}

/** Uses a token as often as it takes until it is remembered. */
function use(verify: (token: string) => Principal, token: string): Principal {
  verify(token);
  return verify(token);
}

describe('a token that was verified twice', () => {
  it('is answered with the same principal', () => {
    const verify = verifierWith();
    const token = issuer.token();
    // Another string object with the same text, as the next request has.
    const again = Buffer.from(token).toString();
    expect(use(verify, token)).toBe(verify(again));
  });

  it('is verified each time when the cache is turned off', () => {
    const verify = verifierWith({ cacheSize: 0 });
    const token = issuer.token();
    expect(use(verify, token)).not.toBe(verify(token));
  });

  it('expires on time', () => {
    const verify = verifierWith({ clockTolerance: 0 });
    const token = issuer.token({ lifetime: 60 });
    use(verify, token);
    clock.advance(59);
    expect(verify(token)).toBeDefined();
    clock.advance(1);
    expect(() => verify(token)).toThrow('expired');
  });

  it('is refused as soon as its key is gone', () => {
    let key: ReturnType<KeySource['getKey']> = issuer.keyPair.publicKey;
    const verify = verifierWith({ keys: { getKey: () => key } });
    const token = issuer.token();
    use(verify, token);
    key = undefined;
    expect(() => verify(token)).toThrow('unknown key');
  });

  it('is refused as soon as another key goes by the name of its key', () => {
    let key = issuer.keyPair.publicKey;
    const verify = verifierWith({ keys: { getKey: () => key } });
    const token = issuer.token();
    use(verify, token);
    key = createTestIssuer().rotate().publicKey;
    expect(() => verify(token)).toThrow('signature');
  });

  it('is refused as soon as it is revoked, and accepted again when that was a mistake', () => {
    const revoked = new Set<string>();
    const isRevoked = ({ sessionId = '' }: Principal) => revoked.has(sessionId);
    const verify = verifierWith({ revocation: { isRevoked } });
    const token = issuer.token({ sessionId: 's1' });
    const other = issuer.token({ sessionId: 's2' });
    use(verify, token);
    revoked.add('s1');
    expect(() => verify(token)).toThrow('revoked');
    expect(() => verify(token)).toThrow('revoked');
    expect(verify(other)).toBeDefined();
    revoked.clear();
    expect(verify(token)).toBeDefined();
  });

  it('is refused when it cannot be told whether it is revoked', () => {
    const isRevoked = () => {
      throw new Error('the feed is too old');
    };
    const verify = verifierWith({ revocation: { isRevoked } });
    const token = issuer.token();
    expect(() => verify(token)).toThrow('too old');
    expect(() => verify(token)).toThrow('too old');
  });

  it('cannot be changed by a handler for the requests after it', () => {
    const verify = verifierWith();
    const token = issuer.token({ roles: ['customer'], scopes: ['a'] });
    const principal = use(verify, token) as { -readonly [K in keyof Principal]: Principal[K] };
    expect(() => (principal.kind = 'service')).toThrow(TypeError);
    expect(() => (principal.roles as string[]).push('admin')).toThrow(TypeError);
    expect(() => (principal.scopes as string[]).push('b')).toThrow(TypeError);
    expect(() => (principal.audience as string[]).push('b')).toThrow(TypeError);
    expect(() => (principal.amr as string[]).push('b')).toThrow(TypeError);
    expect(() => Object.assign(principal.claims, { sub: 'admin' })).toThrow(TypeError);
    expect(verify(token)).toMatchObject({ roles: ['customer'], scopes: ['a'] });
  });

  it('stays refused when it was refused', () => {
    const verify = verifierWith();
    for (const bad of Object.values(issuer.badTokens())) {
      expect(() => verify(bad)).toThrow();
      expect(() => verify(bad)).toThrow();
    }
  });

  it('does not lend its header to a token that its key did not sign', () => {
    const verify = verifierWith();
    const token = issuer.token();
    use(verify, token);
    const { strangersKey } = issuer.badTokens();
    expect(strangersKey.split('.')[0]).toBe(token.split('.')[0]);
    expect(() => verify(strangersKey)).toThrow('signature');
  });
});

describe('what is remembered', () => {
  const verifier = () =>
    new TokenVerifier({ ...issuer.options, clock, keys: keySource(issuer.keys, issuer.options) });

  it('is a token that comes for the second time, so that those that come once take no room', () => {
    const once = verifier();
    for (let i = 0; i < 5; i++) void once.verify(issuer.token());
    expect(once.counts).toEqual({ remembered: 0, verified: 5 });
    const thrice = verifier();
    const token = issuer.token();
    for (let i = 0; i < 3; i++) void thrice.verify(token);
    expect(thrice.counts).toEqual({ remembered: 1, verified: 2 });
  });

  it('does not depend on tokens that were refused, whatever signature they bear', () => {
    const tokens = verifier();
    const token = issuer.token();
    const [header = '', , signature = ''] = token.split('.');
    const forged = `${header}.${issuer.token().split('.')[1] ?? ''}.${signature}`;
    for (let i = 0; i < 3; i++) expect(() => tokens.verify(forged)).toThrow('signature');
    void tokens.verify(token);
    void tokens.verify(token);
    expect(tokens.counts).toEqual({ remembered: 0, verified: 2 });
  });

  it('is the same when another token comes between its first use and its second', () => {
    const tokens = verifier();
    const both = [issuer.token(), issuer.token()];
    for (let i = 0; i < 3; i++) both.forEach((token) => void tokens.verify(token));
    expect(tokens.counts).toEqual({ remembered: 2, verified: 4 });
  });
});

describe('the memory of verified tokens', () => {
  const entry = (token: string): VerifiedToken => ({
    token,
    principal: {} as Principal,
    kid: 'k',
    key: issuer.keyPair.publicKey,
  });

  it('stays bounded however many tokens pass through', () => {
    const tokens = new VerifiedTokens(100);
    for (let i = 0; i < 10_000; i++) tokens.set(entry(`token-${i}`));
    expect(tokens.size).toBeLessThanOrEqual(100);
  });

  it('holds fewer of larger tokens', () => {
    const tokens = new VerifiedTokens(100);
    for (let i = 0; i < 1000; i++) tokens.set(entry(String(i).padStart(8192)));
    expect(tokens.size).toBeLessThanOrEqual(12);
  });

  it('keeps what is in use and lets go of what is not', () => {
    const tokens = new VerifiedTokens(100);
    const busy = entry('busy');
    tokens.set(busy);
    tokens.set(entry('idle'));
    for (let i = 0; i < 1000; i++) {
      tokens.set(entry(`token-${i}`));
      expect(tokens.get('busy')).toBe(busy);
    }
    expect(tokens.get('idle')).toBeUndefined();
  });

  it('forgets on demand, whichever generation a token is in', () => {
    const tokens = new VerifiedTokens(4);
    for (const token of ['a', 'b', 'c']) tokens.set(entry(token));
    for (const token of ['a', 'b', 'c']) tokens.delete(entry(token));
    expect(tokens.size).toBe(0);
  });

  it('never answers for a token with that of another, however much of them is the same', () => {
    const tokens = new VerifiedTokens(100);
    const signature = 'x'.repeat(342);
    const alice = entry(`header.alice.${signature}`);
    const bob = entry(`header.bobby.${signature}`);
    tokens.set(alice);
    expect(tokens.get(bob.token)).toBeUndefined();
    tokens.delete(bob);
    expect(tokens.get(alice.token)).toBe(alice);
    tokens.set(bob);
    expect(tokens.get(bob.token)).toBe(bob);
    expect(tokens.get(alice.token)).not.toBe(bob);
  });
});
