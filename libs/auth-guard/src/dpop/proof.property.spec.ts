import fc from 'fast-check';
import { InvalidTokenError } from '../errors.js';
import { createDpopKey } from '../testing/index.js';
import { DPOP_ALGORITHMS } from './proof-key.js';
import { checkProof } from './proof.js';
import type { ProofExpectations } from './proof.js';
import { isMadeFor, publicUrl } from './target.js';

const NUM_RUNS = Number(process.env.SIGNET_PROPERTY_RUNS ?? 500);
const key = createDpopKey();
const token = 'header.payload.signature';
const url = 'https://api.example.com/orders/7';
const now = 1_800_000_000;
const proof = key.proof({ url, token, issuedAt: now, nonce: 'n' });
const publicUrls = [publicUrl('https://api.example.com')].filter((url) => url !== undefined);
const expected: ProofExpectations = {
  method: 'GET',
  target: '/orders/7',
  token,
  thumbprint: key.thumbprint,
  publicUrls,
  algorithms: DPOP_ALGORITHMS,
  proofLifetime: 60,
  now,
};

function accepts(text: string, change: Partial<ProofExpectations> = {}): boolean {
  try {
    checkProof(text, { ...expected, ...change });
    return true;
  } catch (error) {
    if (error instanceof InvalidTokenError) return false;
    throw error;
  }
}

const check = <T>(property: fc.IProperty<T>) => fc.assert(property, { numRuns: NUM_RUNS });

it('accepts the proof that all the others are made from', () => {
  expect(accepts(proof)).toBe(true);
});

it('accepts no proof of which a character was changed, added or taken away', () => {
  const position = fc.nat(proof.length - 1);
  const mutation = fc.oneof(
    fc
      .tuple(position, fc.string({ minLength: 1, maxLength: 1 }))
      .map(([at, text]) => proof.slice(0, at) + text + proof.slice(at + 1)),
    fc
      .tuple(position, fc.string({ minLength: 1, maxLength: 4 }))
      .map(([at, text]) => proof.slice(0, at) + text + proof.slice(at)),
    position.map((at) => proof.slice(0, at) + proof.slice(at + 1)),
    fc.tuple(position, position).map(([from, to]) => proof.slice(from, to)),
  );
  check(
    fc.property(mutation, (text) => {
      fc.pre(text !== proof);
      expect(accepts(text)).toBe(false);
    }),
  );
});

it('accepts no proof whose holder signed anything else into a claim or the header', () => {
  const value = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const claim = fc.constantFrom('htm', 'htu', 'ath', 'iat');
  const parameter = fc.constantFrom('typ', 'alg', 'jwk');
  check(
    fc.property(claim, value, (name, other) => {
      fc.pre(!(name === 'iat' && typeof other === 'number'));
      const claims = { [name]: other };
      expect(accepts(key.proof({ url, token, issuedAt: now, claims }))).toBe(false);
    }),
  );
  check(
    fc.property(parameter, value, (name, other) => {
      const header = { [name]: other };
      expect(accepts(key.proof({ url, token, issuedAt: now, header }))).toBe(false);
    }),
  );
});

it('accepts no proof for another request, token or key', () => {
  const text = fc.string({ minLength: 1 });
  check(
    fc.property(text, (other) => {
      fc.pre(other !== 'GET' && other !== token);
      expect(accepts(proof, { method: other })).toBe(false);
      expect(accepts(proof, { token: other })).toBe(false);
      expect(accepts(proof, { thumbprint: other })).toBe(false);
      expect(accepts(proof, { target: `/orders/7/${encodeURIComponent(other)}` })).toBe(
        ['.', '..'].includes(other) && isMadeFor(url, `/orders/7/${other}`, publicUrls),
      );
    }),
  );
});

it('accepts a proof within its time and at no other', () => {
  check(
    fc.property(fc.integer({ min: -1000, max: 1000 }), (late) => {
      expect(accepts(proof, { now: now + late })).toBe(late >= -5 && late < 60);
    }),
  );
});

it('reads a request target as one address, whatever is in it', () => {
  check(
    fc.property(fc.webUrl({ withQueryParameters: true }), fc.webPath(), (other, path) => {
      fc.pre(URL.parse(other)?.origin !== 'https://api.example.com');
      expect(isMadeFor(other, path, publicUrls)).toBe(false);
      // A target that looks like an address stays a path.
      expect(isMadeFor(url, `//${new URL(other).host}/orders/7`, publicUrls)).toBe(false);
    }),
  );
});
