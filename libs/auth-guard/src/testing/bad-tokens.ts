import { constants, sign } from 'node:crypto';
import { signWithPublicKey, tamper, unsign } from './forge.js';
import { encodePart, signJws } from './jws.js';
import { sharedKeyPair } from './key-pair.js';
import type { TestKeyPair } from './key-pair.js';
import type { TestIssuer, TestTokenOptions } from './test-issuer.js';

/** Tokens that every verifier must refuse, by what is wrong with them. */
export type BadTokens = Record<BadTokenKind, string>;

/** What can be wrong with a token. */
export type BadTokenKind =
  | 'expired'
  | 'notYetValid'
  | 'wrongIssuer'
  | 'wrongAudience'
  | 'idToken'
  | 'withoutExpiry'
  | 'tampered'
  | 'unsigned'
  | 'emptySignature'
  | 'hmacWithPublicKey'
  | 'otherAlgorithm'
  | 'strangersKey'
  | 'unknownKey'
  | 'embeddedKey'
  | 'criticalExtension'
  | 'notAToken';

/** Makes one of each; apart from its fault, each is as `options` say. */
export function badTokens(issuer: TestIssuer, options: TestTokenOptions): BadTokens {
  const good = issuer.token(options);
  const stranger = sharedKeyPair(1);
  const { kid } = issuer.keyPair;
  const mint = (change: TestTokenOptions) => issuer.token({ ...options, ...change });
  const claim = (claims: Record<string, unknown>) =>
    mint({ claims: { ...options.claims, ...claims } });
  return {
    expired: mint({ lifetime: -3600 }),
    notYetValid: claim({ nbf: 4_000_000_000 }),
    wrongIssuer: claim({ iss: 'https://somebody-else.test' }),
    wrongAudience: mint({ audience: 'urn:somebody-else' }),
    idToken: mint({ header: { typ: 'JWT' } }),
    withoutExpiry: claim({ exp: undefined }),
    tampered: tamper(good),
    unsigned: unsign(good),
    emptySignature: good.slice(0, good.lastIndexOf('.') + 1),
    hmacWithPublicKey: signWithPublicKey(good, issuer.keyPair.publicKey),
    otherAlgorithm: signPs256(good, issuer.keyPair),
    strangersKey: resign(good, stranger, { kid }),
    unknownKey: resign(good, stranger, { kid: stranger.kid }),
    embeddedKey: resign(good, stranger, { kid, jwk: stranger.jwk }),
    criticalExtension: mint({ header: { crit: ['exp'] } }),
    notAToken: 'not-a-token',
  };
}

function resign(token: string, pair: TestKeyPair, header: object): string {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString();
  return signJws({ alg: 'RS256', typ: 'at+jwt', ...header }, payload, pair.privateKey);
}

/** A good signature of the right key by another algorithm. */
function signPs256(token: string, { kid, privateKey }: TestKeyPair): string {
  const header = encodePart({ alg: 'PS256', typ: 'at+jwt', kid });
  const input = `${header}.${token.split('.')[1] ?? ''}`;
  const signature = sign('sha256', Buffer.from(input), {
    key: privateKey,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  });
  return `${input}.${signature.toString('base64url')}`;
}
