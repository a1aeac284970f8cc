import type { JsonWebKey } from 'node:crypto';
import { createTestIssuer, signJws, unsign } from '../testing/index.js';
import { runWycheproof } from './wycheproof.js';
import type { WycheproofTest } from './wycheproof.js';

const issuer = createTestIssuer();
const { jwk, privateKey } = issuer.keyPair;
const good = signJws({ alg: 'RS256' }, 'foo', privateKey);

function run(jws: unknown, result: WycheproofTest['result'], key: JsonWebKey = jwk) {
  const test = { tcId: 1, comment: 'a vector', jws, result };
  return runWycheproof({ testGroups: [{ comment: 'a group', public: key, tests: [test] }] });
}

describe('the run over vectors', () => {
  it('counts what is accepted', () => {
    expect(run(good, 'valid')).toMatchObject({ accepted: 1, refused: 0, refusedValid: [] });
  });

  it('shows a forgery that is accepted', () => {
    expect(run(good, 'invalid').acceptedInvalid).toEqual([
      { tcId: 1, comment: 'a vector', reason: 'accepted' },
    ]);
  });

  it.each([
    ['no signature', unsign(good), jwk, 'token_algorithm_invalid'],
    ['another serialization', { payload: 'Zm9v' }, jwk, 'not in compact serialization'],
    ['another algorithm', issuer.badTokens().otherAlgorithm, jwk, 'token_algorithm_invalid'],
    ['a key for encryption', good, { ...jwk, use: 'enc' }, 'no RSA signature key'],
    ['a key that may not verify', good, { ...jwk, key_ops: ['encrypt'] }, 'no RSA signature key'],
  ])('says why a vector is refused: %s', (_what, jws, key, reason) => {
    const result = run(jws, 'valid', key);
    expect(result.refused).toBe(1);
    expect(result.refusedValid[0]?.reason).toContain(reason);
  });
});
