import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { InvalidTokenError } from '../errors.js';
import { MAX_TOKEN_LENGTH } from '../jws/compact.js';
import { keySource } from '../keys/from-options.js';
import { createKeyPair, createTestIssuer, signJws, tamper, unsign } from '../testing/index.js';
import { signWithPublicKey } from '../testing/index.js';
import { encodePart } from '../testing/jws.js';
import { TokenVerifier } from './verifier.js';

const issuer = createTestIssuer();
const verifier = new TokenVerifier({
  ...issuer.options,
  keys: keySource(issuer.keys, issuer.options),
});
const good = issuer.token({ roles: ['admin'] });
const [goodHeader = '', goodPayload = '', goodSignature = ''] = good.split('.');
const { kid, publicKey } = issuer.keyPair;

async function refusal(token: string, by = verifier): Promise<string> {
  try {
    await by.verify(token);
  } catch (error) {
    if (error instanceof InvalidTokenError) return error.code;
    throw error;
  }
  throw new Error('The token was accepted.');
}

function hmac(header: object, secret: string | Buffer): string {
  const input = `${encodePart(header)}.${goodPayload}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

describe('attacks that other libraries fell to', () => {
  it('CVE-2022-21449: a blank signature is no signature', async () => {
    for (const length of [0, 1, 64, 255, 256, 257]) {
      const zeros = Buffer.alloc(length).toString('base64url');
      await refusal(`${goodHeader}.${goodPayload}.${zeros}`);
    }
    // The original: an ECDSA signature of r = s = 0, under a header that says so.
    const es256 = encodePart({ alg: 'ES256', typ: 'at+jwt', kid });
    const blank = Buffer.alloc(64).toString('base64url');
    expect(await refusal(`${es256}.${goodPayload}.${blank}`)).toBe('token_algorithm_invalid');
  });

  it('CVE-2022-23540: no algorithm is not an algorithm, however it is spelled', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', '', ' none']) {
      await refusal(unsign(good, alg));
      await refusal(`${unsign(good, alg)}${goodSignature}`);
    }
  });

  it('CVE-2023-48223: the public key is not an HMAC secret, in any of its spellings', async () => {
    const header = { alg: 'HS256', typ: 'at+jwt', kid };
    const spellings = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'pkcs1', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      publicKey.export({ type: 'pkcs1', format: 'der' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ];
    for (const secret of spellings) {
      expect(await refusal(hmac(header, secret))).toBe('token_algorithm_invalid');
      expect(await refusal(hmac({ ...header, alg: 'RS256' }, secret))).toBe(
        'token_signature_invalid',
      );
    }
    await refusal(signWithPublicKey(good, publicKey));
  });

  it('CVE-2026-34950: nor with white space around it, when the key was configured like that', async () => {
    const pem = publicKey.export({ type: 'pkcs1', format: 'pem' }).toString();
    for (const spelling of [`\n  ${pem}`, ` \t${pem}`, `${pem}\n\n`]) {
      const keys = keySource({ publicKey: spelling, kid }, issuer.options);
      const strict = new TokenVerifier({ ...issuer.options, keys });
      expect(await strict.verify(good)).toBeDefined();
      const forged = hmac({ alg: 'HS256', typ: 'at+jwt', kid }, spelling);
      expect(await refusal(forged, strict)).toBe('token_algorithm_invalid');
    }
  });

  it('CVE-2024-28180: nothing is ever decompressed', async () => {
    const bomb = deflateRawSync(Buffer.alloc(1 << 20)).toString('base64url');
    const header = encodePart({ alg: 'RS256', typ: 'at+jwt', kid, zip: 'DEF' });
    expect(await refusal(`${header}.${bomb}.${goodSignature}`)).toBe('token_header_invalid');
    const jwe = encodePart({ alg: 'RSA-OAEP', enc: 'A128GCM', zip: 'DEF', kid });
    expect(await refusal(`${jwe}.a.b.${bomb}.c`)).toBe('token_malformed');
  });

  it('CVE-2025-27144 and CVE-2025-30204: a token of dots is refused without being taken apart', async () => {
    expect(await refusal('.'.repeat(MAX_TOKEN_LENGTH))).toBe('token_malformed');
    expect(await refusal('a' + '.'.repeat(MAX_TOKEN_LENGTH - 1))).toBe('token_malformed');
    expect(await refusal('.'.repeat(50_000_000))).toBe('token_too_large');
  });

  it('CVE-2025-59420 and CVE-2026-35042: what is critical and unknown is refused', async () => {
    for (const crit of [['x-policy'], ['exp'], ['b64'], [], 'x-policy', null, 0, [['x']]]) {
      const header = { crit, 'x-policy': 'mfa' };
      expect(await refusal(issuer.token({ header }))).toBe('token_header_invalid');
    }
  });

  it('CVE-2026-27962: a key that a token brings along is not used, and nothing is fetched', async () => {
    const attacker = createKeyPair(kid);
    let requests = 0;
    const fetched = jest.spyOn(globalThis, 'fetch').mockImplementation(() => {
      requests += 1;
      return Promise.reject(new Error('no request was expected'));
    });
    const offers = [
      { jwk: attacker.jwk },
      { jku: 'https://attacker.test/jwks.json' },
      { x5u: 'https://attacker.test/cert.pem' },
      { x5c: [attacker.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')] },
    ];
    for (const offer of offers) {
      const header = { alg: 'RS256', typ: 'at+jwt', kid, ...offer };
      const payload = Buffer.from(goodPayload, 'base64url').toString();
      expect(await refusal(signJws(header, payload, attacker.privateKey))).toBe(
        'token_header_invalid',
      );
    }
    expect(requests).toBe(0);
    fetched.mockRestore();
  });

  it('CVE-2026-35039: tokens that share a header, a payload or a signature share nothing else', async () => {
    // Often enough to be remembered.
    for (let i = 0; i < 3; i++) await verifier.verify(good);
    const other = issuer.token({ subject: 'user-2' });
    const [, otherPayload = '', otherSignature = ''] = other.split('.');
    expect((await verifier.verify(other)).subject).toBe('user-2');
    await refusal(`${goodHeader}.${goodPayload}.${otherSignature}`);
    await refusal(`${goodHeader}.${otherPayload}.${goodSignature}`);
    await refusal(tamper(good));
    expect((await verifier.verify(good)).subject).toBe('user-1');
  });

  it('CVE-2026-35041: an audience is compared, never matched, so none can make the check slow', async () => {
    const audience = `${'a'.repeat(4000)}!`;
    expect(await refusal(issuer.token({ audience }))).toBe('token_audience_invalid');
    const pattern = new TokenVerifier({
      ...issuer.options,
      audience: '^(a+)+$',
      keys: keySource(issuer.keys, issuer.options),
    });
    expect(await refusal(issuer.token({ audience: 'aaa' }), pattern)).toBe(
      'token_audience_invalid',
    );
  });

  it('CVE-2026-22817 and CVE-2026-22818: a published key without alg still verifies RS256 only', async () => {
    const jwk = { ...issuer.keyPair.jwk, alg: undefined };
    const lax = new TokenVerifier({
      ...issuer.options,
      keys: keySource({ jwks: { keys: [jwk] } }, issuer.options),
    });
    expect(await lax.verify(good)).toBeDefined();
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    expect(await refusal(hmac({ alg: 'HS256', typ: 'at+jwt', kid }, pem), lax)).toBe(
      'token_algorithm_invalid',
    );
    expect(await refusal(issuer.badTokens().otherAlgorithm, lax)).toBe('token_algorithm_invalid');
  });

  it('RSA signatures whose padding or length is not exactly right are refused', async () => {
    const signature = Buffer.from(goodSignature, 'base64url');
    const longer = Buffer.concat([Buffer.alloc(1), signature]).toString('base64url');
    const shorter = signature.subarray(1).toString('base64url');
    await refusal(`${goodHeader}.${goodPayload}.${longer}`);
    await refusal(`${goodHeader}.${goodPayload}.${shorter}`);
    const wrongHash = sign('sha512', Buffer.from(`${goodHeader}.${goodPayload}`), {
      key: issuer.keyPair.privateKey,
    });
    await refusal(`${goodHeader}.${goodPayload}.${wrongHash.toString('base64url')}`);
  });

  it('a signature by an elliptic curve under an RS256 header is refused', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signature = sign('sha256', Buffer.from(`${goodHeader}.${goodPayload}`), privateKey);
    await refusal(`${goodHeader}.${goodPayload}.${signature.toString('base64url')}`);
  });

  it('members that parsers read differently make a token void, though its issuer signed it', async () => {
    const claims = Buffer.from(goodPayload, 'base64url').toString();
    const header = { alg: 'RS256', typ: 'at+jwt', kid };
    const { privateKey } = issuer.keyPair;
    const twice = claims.replace('{', '{"sub":"admin",');
    expect(await refusal(signJws(header, twice, privateKey))).toBe('token_malformed');
    const twoAlgorithms = `{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"${kid}"}`;
    expect(await refusal(signJws(twoAlgorithms, claims, privateKey))).toBe('token_malformed');
    const prototype = claims.replace('{', '{"__proto__":{"roles":["admin"]},');
    expect(await refusal(signJws(header, prototype, privateKey))).toBe('token_malformed');
  });

  it('another spelling of the same signature is refused, so that no token has two names', async () => {
    const last = goodSignature.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twins = alphabet.split('').filter((character) => character !== last);
    const same = Buffer.from(goodSignature, 'base64url');
    const spellings = twins
      .map((character) => goodSignature.slice(0, -1) + character)
      .filter((text) => Buffer.from(text, 'base64url').equals(same));
    expect(spellings.length).toBeGreaterThan(0);
    for (const spelling of spellings) await refusal(`${goodHeader}.${goodPayload}.${spelling}`);
  });
});
