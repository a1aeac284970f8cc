import fc from 'fast-check';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { InvalidTokenError } from '../errors.js';
import { keySource } from '../keys/from-options.js';
import { createTestIssuer, signJws } from '../testing/index.js';
import { TokenVerifier } from './verifier.js';

const issuer = createTestIssuer();
const verifier = new TokenVerifier({
  ...issuer.options,
  keys: keySource(issuer.keys, issuer.options),
});
const joseKeys = createLocalJWKSet(issuer.jwks as JSONWebKeySet);
const { kid, privateKey } = issuer.keyPair;
/** How many mutations each run tries. A million take a minute, and then as many texts two more. */
const NUM_RUNS = Number(process.env.SIGNET_PROPERTY_RUNS ?? 2000);

function accepts(token: string): boolean {
  try {
    return Boolean(verifier.verify(token));
  } catch (error) {
    if (error instanceof InvalidTokenError) return false;
    throw error;
  }
}

const good = issuer.token({ roles: ['customer'], scopes: ['a:b'] });

/** One edit of a text: a character replaced, inserted or removed, a part moved or repeated. */
const mutation = fc
  .tuple(fc.nat(good.length), fc.nat(good.length), fc.string({ maxLength: 4 }), fc.nat(4))
  .map(([from, to, text, kind]) => {
    const [start, end] = from < to ? [from, to] : [to, from];
    const cut = good.slice(start, end);
    switch (kind) {
      case 0:
        return good.slice(0, start) + text + good.slice(start + 1);
      case 1:
        return good.slice(0, start) + text + good.slice(start);
      case 2:
        return good.slice(0, start) + good.slice(end);
      case 3:
        return good.slice(0, end) + cut + good.slice(end);
      default:
        return good.slice(0, start) + cut.split('').reverse().join('') + good.slice(end);
    }
  })
  .filter((token) => token !== good);

const claimValue = fc.oneof(
  fc.constantFrom<unknown>('', 'x', 0, -1, 1e21, null, true, [], {}, ['x'], [[]], 'a b', ' '),
  fc.jsonValue({ maxDepth: 2 }),
  fc.integer({ min: 0, max: 5_000_000_000 }),
);
const claimName = fc.oneof(
  fc.constantFrom('iss', 'sub', 'aud', 'exp', 'iat', 'nbf', 'jti', 'client_id', 'scope', 'roles'),
  fc.string(),
);
const headerName = fc.oneof(
  fc.constantFrom('alg', 'typ', 'kid', 'crit', 'b64', 'cty'),
  fc.string(),
);

describe('whatever is tried', () => {
  it('no mutation of a good token is accepted, though the good one is remembered', () => {
    for (let i = 0; i < 3; i++) expect(accepts(good)).toBe(true);
    fc.assert(
      fc.property(mutation, (token) => !accepts(token)),
      { numRuns: NUM_RUNS },
    );
  });

  it('no text at all is accepted or breaks the verifier', () => {
    const part = fc.oneof(fc.base64String(), fc.string({ unit: 'binary' }), fc.json());
    const text = fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(text, (token) => !accepts(token)),
      { numRuns: NUM_RUNS },
    );
  });

  it('a token that we accept is accepted by jose as well', async () => {
    let accepted = 0;
    const changes = (name: fc.Arbitrary<string>) =>
      fc.dictionary(name, claimValue, { maxKeys: 2, noNullPrototype: true });
    await fc.assert(
      fc.asyncProperty(changes(headerName), changes(claimName), async (header, claims) => {
        const token = issuer.token({ header, claims });
        if (!accepts(token)) return;
        accepted += 1;
        await expect(
          jwtVerify(token, joseKeys, {
            issuer: issuer.issuer,
            audience: issuer.audience,
            algorithms: ['RS256'],
            typ: 'at+jwt',
            clockTolerance: 5,
            requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat', 'jti', 'client_id'],
          }),
        ).resolves.toBeDefined();
      }),
      { numRuns: Math.min(NUM_RUNS, 1000) },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('a payload that is not exactly one JSON object is refused, though the key signed it', () => {
    const header = { alg: 'RS256', typ: 'at+jwt', kid };
    const notClaims = fc.oneof(fc.string(), fc.json()).filter((text) => !text.includes('"iss"'));
    fc.assert(
      fc.property(notClaims, (payload) => !accepts(signJws(header, payload, privateKey))),
      { numRuns: 200 },
    );
  });
});
