import { generateKeyPairSync } from 'node:crypto';
import { createKeyPair, createTestIssuer } from '../testing/index.js';
import { readKeySet, UnusableKeySetError } from './jwk-set.js';

const issuer = createTestIssuer();
const { jwk, kid, privateKey } = issuer.keyPair;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

const kids = (...keys: unknown[]) => [...readKeySet({ keys }).keys.keys()];

describe('a published key set', () => {
  it.each([
    ['an elliptic curve', { ...ec, kid: 'ec', use: 'sig' }],
    ['a key for encryption', { ...jwk, kid: 'enc', use: 'enc' }],
    ['a key for another algorithm', { ...jwk, kid: 'ps', alg: 'PS256' }],
    ['a key of a kind from the future', { kty: 'PQ', kid: 'pq', use: 'sig' }],
    ['a key without use', { ...jwk, kid: 'any', use: undefined }],
  ])('may hold %s, which is passed over', (_what, other) => {
    const { keys, warnings } = readKeySet({ keys: [jwk, other] });
    expect([...keys.keys()]).toEqual([kid]);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['of 1024 bits', createKeyPair('small', 1024).jwk],
    ['with an exponent of 3', { ...jwk, kid: 'e3', e: 'Aw' }],
    ['without a kid', { ...jwk, kid: undefined }],
    ['whose kid is not text', { ...jwk, kid: 7 }],
    ['that may only sign', { ...jwk, kid: 'sign', key_ops: ['sign'] }],
    ['whose modulus is not base64url', { ...jwk, kid: 'n', n: '!!!' }],
    ['whose modulus is a number', { ...jwk, kid: 'n', n: 12 }],
  ])('leaves out a key %s, and says so', (_what, weak) => {
    const { keys, warnings } = readKeySet({ keys: [jwk, weak] });
    expect([...keys.keys()]).toEqual([kid]);
    expect(warnings).toHaveLength(1);
  });

  it('does not look at certificates or addresses beside a key', () => {
    expect(kids({ ...jwk, x5c: ['garbage'], x5u: 'https://attacker.test', x5t: 1 })).toEqual([kid]);
  });

  it('may be empty: then every key was withdrawn', () => {
    expect(kids()).toEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['a list', [jwk]],
    ['no keys', {}],
    ['keys that are an object', { keys: { 0: jwk } }],
    ['a key that is text', { keys: [jwk, 'key'] }],
    ['two keys of one kid', { keys: [jwk, createKeyPair(kid).jwk] }],
    ['two keys of one kid, one of them for encryption', { keys: [jwk, { ...jwk, use: 'enc' }] }],
    ['a private key', { keys: [jwk, { ...privateKey.export({ format: 'jwk' }), kid: 'x' }] }],
    ['a secret', { keys: [jwk, { kty: 'oct', k: 'c2VjcmV0', kid: 'x' }] }],
    ['not one usable key', { keys: [{ ...jwk, e: 'Aw' }] }],
    ['keys without end', { keys: Array.from({ length: 65 }, (_, i) => ({ ...jwk, kid: `${i}` })) }],
  ])('is refused as a whole when it is or holds %s', (_what, set) => {
    expect(() => readKeySet(set)).toThrow(UnusableKeySetError);
  });
});
