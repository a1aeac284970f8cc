import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { AuthGuardConfigurationError, InvalidTokenError } from '../errors.js';
import { keySource } from '../keys/from-options.js';
import { createTestIssuer, TestClock } from '../testing/index.js';
import type { TestTokenOptions } from '../testing/index.js';
import { TokenVerifier } from './verifier.js';
import type { TokenVerifierOptions } from './verifier.js';

const clock = new TestClock();
const issuer = createTestIssuer({ clock });

function verifierWith(options: Partial<TokenVerifierOptions> = {}): TokenVerifier {
  const keys = keySource(issuer.keys, issuer.options);
  return new TokenVerifier({ ...issuer.options, clock, ...options, keys: options.keys ?? keys });
}

/** The code with which a token is refused, or `accepted`. */
async function outcome(token: string, verifier = verifierWith()): Promise<string> {
  try {
    await verifier.verify(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof InvalidTokenError) return error.code;
    throw error;
  }
}

const mint = (options: TestTokenOptions) => issuer.token(options);
const withClaims = (claims: Record<string, unknown>) => mint({ claims });
const withHeader = (header: Record<string, unknown>) => mint({ header });
const seconds = () => Math.floor(clock.now() / 1000);

describe('a good token', () => {
  it('gives the principal that it speaks of', async () => {
    const token = mint({ subject: 'u1', clientId: 'web', roles: ['admin'], scopes: ['a', 'b:c'] });
    const principal = await verifierWith().verify(token);
    expect(principal).toMatchObject({
      kind: 'user',
      subject: 'u1',
      clientId: 'web',
      sessionId: 'session-1',
      roles: ['admin'],
      scopes: ['a', 'b:c'],
      audience: [issuer.audience],
      issuedAt: seconds(),
      expiresAt: seconds() + 600,
      authTime: seconds(),
      acr: '1',
      amr: ['pwd'],
    });
    expect(principal.claims).toMatchObject({ sub: 'u1', jti: principal.tokenId });
  });

  it('of a service gives a service, without login or roles', async () => {
    const principal = await verifierWith().verify(issuer.serviceToken({ clientId: 'orders' }));
    expect(principal).toMatchObject({ kind: 'service', subject: 'orders', roles: [], scopes: [] });
    expect(principal.sessionId).toBeUndefined();
  });

  it.each([
    ['typ in its long form', withHeader({ typ: 'application/at+jwt' })],
    ['several audiences, one of them ours', mint({ audience: ['urn:other', issuer.audience] })],
    ['claims that nobody has heard of', withClaims({ tenant: { id: 7 } })],
    ['no optional claim', withClaims({ sid: undefined, acr: undefined, amr: undefined })],
    ['an empty scope', withClaims({ scope: '' })],
    ['letters outside of ASCII', withClaims({ name: 'Zoë 🔑' })],
  ])('is accepted with %s', async (_what, token) => {
    expect(await outcome(token)).toBe('accepted');
  });

  it('answers without a promise when the key is at hand', () => {
    expect(verifierWith().verify(mint({}))).not.toBeInstanceOf(Promise);
  });

  it('verifies with a key that has to be waited for', async () => {
    const keys = { getKey: () => Promise.resolve(issuer.keyPair.publicKey) };
    const verifier = verifierWith({ keys });
    const token = mint({});
    await verifier.verify(token);
    expect(await verifier.verify(token)).toBe(await verifier.verify(token));
  });
});

describe('every claim of RFC 9068 section 2.2', () => {
  const claims = ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'];
  const wrongValues: [string, unknown][] = [
    ['missing', undefined],
    ['null', null],
    ['empty', ''],
    ['an object', {}],
    ['an empty list', []],
    ['a list in a list', [['x']]],
    ['true', true],
  ];
  it.each(claims.flatMap((claim) => wrongValues.map(([what, value]) => [claim, what, value])))(
    'refuses a token whose %s is %s',
    async (claim, _what, value) => {
      expect(await outcome(withClaims({ [claim as string]: value }))).not.toBe('accepted');
    },
  );

  it.each([
    ['iss as a list that holds the issuer', { iss: [issuer.issuer] }, 'token_issuer_invalid'],
    ['iss with a slash more', { iss: `${issuer.issuer}/` }, 'token_issuer_invalid'],
    ['iss in capitals', { iss: issuer.issuer.toUpperCase() }, 'token_issuer_invalid'],
    ['aud with a part of ours', { aud: issuer.audience.slice(0, -1) }, 'token_audience_invalid'],
    ['aud with more than ours', { aud: `${issuer.audience}/x` }, 'token_audience_invalid'],
    ['aud of which one is no text', { aud: [issuer.audience, 1] }, 'token_audience_invalid'],
    ['aud as an object', { aud: { 0: issuer.audience } }, 'token_audience_invalid'],
    ['exp as text', { exp: String(seconds() + 600) }, 'token_claims_invalid'],
    ['exp with a fraction', { exp: seconds() + 0.5 }, 'token_claims_invalid'],
    ['exp beyond all numbers', { exp: Number.MAX_VALUE }, 'token_claims_invalid'],
    ['exp before the epoch', { exp: -1 }, 'token_claims_invalid'],
    ['iat as text', { iat: String(seconds()) }, 'token_claims_invalid'],
    ['nbf as text', { nbf: '0' }, 'token_claims_invalid'],
    ['auth_time as text', { auth_time: 'yesterday' }, 'token_claims_invalid'],
    ['sub as a number', { sub: 1 }, 'token_claims_invalid'],
    ['sid as a number', { sid: 1 }, 'token_claims_invalid'],
    ['roles as text', { roles: 'admin' }, 'token_claims_invalid'],
    ['roles of which one is no text', { roles: ['admin', 1] }, 'token_claims_invalid'],
    ['roles as an object', { roles: { admin: true } }, 'token_claims_invalid'],
    ['scope as a list', { scope: ['a'] }, 'token_claims_invalid'],
    ['scope with two spaces', { scope: 'a  b' }, 'token_claims_invalid'],
    ['scope with a quote', { scope: 'a"b' }, 'token_claims_invalid'],
    ['amr as text', { amr: 'pwd' }, 'token_claims_invalid'],
  ])('refuses %s', async (_what, claims, code) => {
    expect(await outcome(withClaims(claims))).toBe(code);
  });

  it('refuses a service token that claims a login: a user may have taken the name of a client', async () => {
    expect(await outcome(mint({ subject: 'orders', clientId: 'orders' }))).toBe(
      'token_claims_invalid',
    );
  });

  it('refuses a token that is bound to a key, since nobody proved to hold the key', async () => {
    expect(await outcome(withClaims({ cnf: { jkt: 'x' } }))).toBe('token_binding_unsupported');
  });

  it('refuses exp written with an exponent that makes it infinite', async () => {
    const { kid, privateKey } = issuer.keyPair;
    const { signJws } = await import('../testing/index.js');
    const header = { alg: 'RS256', typ: 'at+jwt', kid };
    const claims = Buffer.from(mint({}).split('.')[1] ?? '', 'base64url').toString();
    const infinite = claims.replace(/"exp":\d+/, '"exp":1e999');
    expect(await outcome(signJws(header, infinite, privateKey))).toBe('token_claims_invalid');
  });
});

describe('time', () => {
  it('ends a token at exp, give or take the tolerance', async () => {
    const verifier = verifierWith({ clockTolerance: 2 });
    const token = mint({ lifetime: 60 });
    clock.advance(61);
    expect(await outcome(token, verifier)).toBe('accepted');
    clock.advance(1);
    expect(await outcome(token, verifier)).toBe('token_expired');
  });

  it.each([
    ['iat far in the future', { iat: 4_000_000_000, exp: 4_000_000_600 }, 'token_not_yet_valid'],
    [
      'iat far in the future under an old nbf',
      { iat: 4_000_000_000, exp: 4_000_000_600, nbf: 1 },
      'token_not_yet_valid',
    ],
    ['nbf far in the future', { nbf: 4_000_000_000 }, 'token_not_yet_valid'],
    ['a life of two hours', { exp: seconds() + 7300 }, 'token_lifetime_invalid'],
    [
      'an end before its start',
      { iat: seconds() + 4, exp: seconds() + 3 },
      'token_lifetime_invalid',
    ],
  ])('refuses %s', async (_what, claims, code) => {
    const late = Object.fromEntries(
      Object.entries(claims).map(([name, value]) => [name, value + 62]),
    );
    expect(await outcome(withClaims(late))).toBe(code);
  });

  it('accepts an issuer whose clock is ahead within the tolerance, and no further', async () => {
    expect(await outcome(withClaims({ iat: seconds() + 5 }))).toBe('accepted');
    expect(await outcome(withClaims({ iat: seconds() + 6 }))).toBe('token_not_yet_valid');
  });
});

describe('the header', () => {
  it.each([
    ['alg none', { alg: 'none' }, 'token_algorithm_invalid'],
    ['alg None', { alg: 'None' }, 'token_algorithm_invalid'],
    ['alg in small letters', { alg: 'rs256' }, 'token_algorithm_invalid'],
    ['another RSA algorithm', { alg: 'RS512' }, 'token_algorithm_invalid'],
    ['PS256', { alg: 'PS256' }, 'token_algorithm_invalid'],
    ['ES256', { alg: 'ES256' }, 'token_algorithm_invalid'],
    ['HS256', { alg: 'HS256' }, 'token_algorithm_invalid'],
    ['alg as a list', { alg: ['RS256'] }, 'token_algorithm_invalid'],
    ['no alg', { alg: undefined }, 'token_algorithm_invalid'],
    ['typ of an ID token', { typ: 'JWT' }, 'token_type_invalid'],
    ['typ of a security event', { typ: 'secevent+jwt' }, 'token_type_invalid'],
    ['typ of a logout token', { typ: 'logout+jwt' }, 'token_type_invalid'],
    ['no typ', { typ: undefined }, 'token_type_invalid'],
    ['no kid', { kid: undefined }, 'token_header_invalid'],
    ['an empty kid', { kid: '' }, 'token_header_invalid'],
    ['a kid that is a path', { kid: '../../dev/null' }, 'token_key_unknown'],
    ['a kid that is an object', { kid: {} }, 'token_header_invalid'],
    ['a kid without end', { kid: 'k'.repeat(300) }, 'token_header_invalid'],
    ['a kid that is a member of every object', { kid: 'constructor' }, 'token_key_unknown'],
    ['crit', { crit: ['exp'] }, 'token_header_invalid'],
    ['an empty crit', { crit: [] }, 'token_header_invalid'],
    ['b64', { b64: false }, 'token_header_invalid'],
    ['zip', { zip: 'DEF' }, 'token_header_invalid'],
    ['enc', { enc: 'A256GCM' }, 'token_header_invalid'],
  ])('refuses %s', async (_what, header, code) => {
    expect(await outcome(withHeader(header))).toBe(code);
  });
});

describe('the form', () => {
  const good = mint({});
  const [header = '', payload = '', signature = ''] = good.split('.');

  it.each([
    ['nothing', ''],
    ['a word', 'token'],
    ['two parts', `${header}.${payload}`],
    ['four parts', `${good}.x`],
    ['five parts, as an encrypted token has', `${good}.x.y`],
    ['a dot at the end', `${good}.`],
    ['no header', `.${payload}.${signature}`],
    ['no payload', `${header}..${signature}`],
    ['no signature', `${header}.${payload}.`],
    ['padding', `${good}=`],
    ['a line break', `${good}\n`],
    ['a space before', ` ${good}`],
    ['a comma and a second token', `${good}, ${good}`],
    ['a full stop that is not ASCII', good.replaceAll('.', '\u3002')],
    ['an empty header', `e30.${payload}.${signature}`],
  ])('refuses %s', async (_what, token) => {
    expect(await outcome(token)).not.toBe('accepted');
  });

  it('refuses a token of more than 8 KiB, and accepts one just below', async () => {
    expect(await outcome(withClaims({ x: 'x'.repeat(6000) }))).toBe('token_too_large');
    expect(await outcome(withClaims({ x: 'x'.repeat(5000) }))).toBe('accepted');
  });

  it.each(Object.entries(issuer.badTokens()))(
    'refuses the test kit\'s token "%s"',
    async (_, bad) => {
      expect(await outcome(bad)).not.toBe('accepted');
    },
  );

  it('never repeats a part of the token in its message', async () => {
    const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ';
    for (const token of [secret, withClaims({ iss: secret }), withHeader({ kid: secret })]) {
      await expect(async () => await verifierWith().verify(token)).rejects.not.toThrow(secret);
    }
  });
});

describe('the keys', () => {
  it("refuses to use a weak key, even from a source of one's own", async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const verifier = verifierWith({ keys: { getKey: () => weak } });
    await expect(async () => await verifier.verify(mint({}))).rejects.toThrow('2048');
  });

  it.each([
    ['a secret', (): unknown => Buffer.from('secret')],
    ['a private key', (): unknown => issuer.keyPair.privateKey],
    [
      'an elliptic curve',
      (): unknown => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey,
    ],
    [
      'an RSA-PSS key',
      (): unknown => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey,
    ],
  ])("refuses %s from a source of one's own", async (_what, key) => {
    const verifier = verifierWith({ keys: { getKey: () => key() as KeyObject } });
    await expect(async () => await verifier.verify(mint({}))).rejects.toThrow('public RSA key');
  });
});

describe('the options', () => {
  it.each([
    ['an empty issuer', { issuer: '' }],
    ['no audience', { audience: [] }],
    ['an empty audience', { audience: [''] }],
    ['an unbounded clock tolerance', { clockTolerance: 3600 }],
    ['a negative clock tolerance', { clockTolerance: -1 }],
    ['an unbounded lifetime', { maxTokenLifetime: Infinity }],
    ['a lifetime that is no number', { maxTokenLifetime: NaN }],
    ['an unbounded cache', { cacheSize: Infinity }],
  ])('refuse %s at boot', (_what, options) => {
    expect(() => verifierWith(options)).toThrow(AuthGuardConfigurationError);
  });

  it('cannot leave out the audience', () => {
    const { issuer: name } = issuer;
    const incomplete = { issuer: name } as TokenVerifierOptions;
    expect(() => verifierWith({ ...incomplete, audience: undefined as never })).toThrow('audience');
  });
});
