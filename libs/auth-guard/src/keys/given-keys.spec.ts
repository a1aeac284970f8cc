import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { AuthGuardConfigurationError } from '../errors.js';
import { createKeyPair, createTestIssuer } from '../testing/index.js';
import { keySource } from './from-options.js';
import type { KeysOptions } from './from-options.js';

const issuer = createTestIssuer();
const { publicKey, privateKey, jwk, kid } = issuer.keyPair;
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const source = (options: KeysOptions) => keySource(options, issuer.options);

describe('one given key', () => {
  it.each([
    ['a KeyObject', publicKey],
    ['PEM', pem],
    ['PEM of PKCS #1', publicKey.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['PEM that was indented', `\n    ${pem}`],
    ['a JWK', jwk],
  ])('can be %s', (_what, key) => {
    expect(publicKey.equals(source({ publicKey: key, kid }).getKey(kid) as KeyObject)).toBe(true);
  });

  it('answers to its kid alone when it has one', () => {
    expect(source({ publicKey, kid: 'a' }).getKey('b')).toBeUndefined();
    expect(source({ publicKey: jwk }).getKey('b')).toBeUndefined();
  });

  it('answers to any kid when it has none, being the only key there is', () => {
    expect(source({ publicKey: pem }).getKey('whatever')).toBeDefined();
  });

  const small = createKeyPair('small', 1024);
  const evenExponent = { ...jwk, e: Buffer.from([1, 0, 2]).toString('base64url') };
  const endlessExponent = { ...jwk, e: Buffer.alloc(32, 1).toString('base64url') };
  it.each<[string, Parameters<typeof source>[0]]>([
    ['a private key', { publicKey: privateKey }],
    [
      'a private key in PEM',
      { publicKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
    ],
    ['1024 bits', { publicKey: small.publicKey }],
    ['1024 bits as a JWK', { publicKey: small.jwk }],
    ['an exponent of 3', { publicKey: { ...jwk, e: 'Aw' } }],
    ['an exponent of 1', { publicKey: { ...jwk, e: 'AQ' } }],
    ['an even exponent', { publicKey: evenExponent }],
    ['an endless exponent', { publicKey: endlessExponent }],
    [
      'an elliptic curve',
      { publicKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey },
    ],
    ['a JWK without a modulus', { publicKey: { kty: 'RSA', e: 'AQAB' } }],
    ['a JWK with padding', { publicKey: { ...jwk, n: `${jwk.n ?? ''}=` } }],
    ['a secret', { publicKey: { kty: 'oct', k: 'c2VjcmV0' } }],
    ['no key at all', { publicKey: 'hello' }],
  ])('may not be %s', (_what, options) => {
    expect(() => source(options)).toThrow(AuthGuardConfigurationError);
  });
});

describe('a given key set', () => {
  it('gives each key by its kid, and nothing by any other', () => {
    const other = createKeyPair('other');
    const keys = source({ jwks: { keys: [jwk, other.jwk] } });
    expect(publicKey.equals(keys.getKey(kid) as KeyObject)).toBe(true);
    expect(other.publicKey.equals(keys.getKey('other') as KeyObject)).toBe(true);
    expect(keys.getKey('__proto__')).toBeUndefined();
  });

  it.each([
    ['nothing', { keys: [] }],
    ['a weak key beside a good one', { keys: [jwk, createKeyPair('small', 1024).jwk] }],
    ['the same kid twice', { keys: [jwk, createKeyPair(kid).jwk] }],
    ['a private key', { keys: [privateKey.export({ format: 'jwk' })] }],
    ['keys for encryption only', { keys: [{ ...jwk, use: 'enc' }] }],
  ])('may not hold %s', (_what, jwks) => {
    expect(() => source({ jwks })).toThrow(AuthGuardConfigurationError);
  });
});

it('names the ways to give keys when it gets none of them', () => {
  expect(() => source({} as KeysOptions)).toThrow('jwksUri, publicKey, jwks');
});
