import { constants, createHash, createPublicKey, verify } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { decodeBase64url } from '../jws/base64url.js';
import type { CompactJws } from '../jws/compact.js';
import { assertVerificationKey, UnusableKeyError } from '../keys/rsa.js';

/** What a proof may be signed with: asymmetric algorithms alone (RFC 9449 section 4.3, check 5). */
export const DPOP_ALGORITHMS = ['ES256', 'ES384', 'EdDSA', 'Ed25519', 'PS256', 'RS256'] as const;

/** The JWS algorithms that a DPoP proof may be signed with. */
export type DpopAlgorithm = (typeof DPOP_ALGORITHMS)[number];

interface Algorithm {
  kty: string;
  crv?: string;
  /** The members that make up the key, in the order of RFC 7638 section 3.2. */
  members: readonly ('crv' | 'e' | 'kty' | 'n' | 'x' | 'y')[];
  hash: string | null;
  options?: { dsaEncoding?: 'ieee-p1363'; padding?: number; saltLength?: number };
}

const EC = {
  kty: 'EC',
  members: ['crv', 'kty', 'x', 'y'],
  options: { dsaEncoding: 'ieee-p1363' },
} as const;
const OKP = { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'kty', 'x'], hash: null } as const;
const RSA = { kty: 'RSA', members: ['e', 'kty', 'n'], hash: 'sha256' } as const;

const ALGORITHMS: Record<DpopAlgorithm, Algorithm> = {
  ES256: { ...EC, crv: 'P-256', hash: 'sha256' },
  ES384: { ...EC, crv: 'P-384', hash: 'sha384' },
  EdDSA: OKP,
  Ed25519: OKP,
  PS256: { ...RSA, options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } },
  RS256: RSA,
};

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** The key of a proof, of the kind that its algorithm takes. */
export interface ProofKey {
  readonly key: KeyObject;
  readonly algorithm: Algorithm;
  /** Its SHA-256 thumbprint in base64url (RFC 7638). */
  readonly thumbprint: string;
}

/**
 * Imports the public key in a proof's header from the members that make it up and no others.
 *
 * @returns undefined when it is not a public key for that algorithm
 */
export function proofKey(jwk: unknown, alg: DpopAlgorithm): ProofKey | undefined {
  const algorithm = ALGORITHMS[alg];
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const given = jwk as JsonWebKey;
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(given, member))) return undefined;
  if (given.kty !== algorithm.kty || (algorithm.crv && given.crv !== algorithm.crv))
    return undefined;
  const members = algorithm.members.map((name) => [name, given[name]] as const);
  if (!members.every(([name, value]) => isMember(name, value))) return undefined;
  const bare = Object.fromEntries(members) as JsonWebKey;
  const key = importKey(bare);
  if (!key) return undefined;
  const thumbprint = createHash('sha256').update(JSON.stringify(bare)).digest('base64url');
  return { key, algorithm, thumbprint };
}

/** Whether the key made this signature. */
export function isSignedBy({ signingInput, signature }: CompactJws, proof: ProofKey): boolean {
  const bytes = decodeBase64url(signature);
  if (!bytes) return false;
  const { hash, options } = proof.algorithm;
  return verify(hash, Buffer.from(signingInput, 'latin1'), { key: proof.key, ...options }, bytes);
}

/** Two spellings of one number would be two thumbprints of one key. */
function isMember(name: string, value: unknown): boolean {
  if (typeof value !== 'string') return false;
  return name === 'kty' || name === 'crv' || decodeBase64url(value) !== undefined;
}

function importKey(jwk: JsonWebKey): KeyObject | undefined {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    // Whatever OpenSSL has against it.
    return undefined;
  }
  try {
    if (jwk.kty === 'RSA') assertVerificationKey(key);
    return key;
  } catch (error) {
    if (error instanceof UnusableKeyError) return undefined;
    throw error;
  }
}
