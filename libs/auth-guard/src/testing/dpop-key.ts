import { constants, createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { DPOP_ALGORITHMS, proofKey } from '../dpop/proof-key.js';
import type { DpopAlgorithm } from '../dpop/proof-key.js';
import { encodePart } from './jws.js';

/** The request that a proof is made for. */
export interface DpopProofOptions {
  /** `GET` by default. */
  method?: string;
  /** As the client writes it, such as `https://api.example.com/orders`. */
  url: string;
  /** The access token that goes with it. */
  token: string;
  /** From the header `DPoP-Nonce` of an answer. */
  nonce?: string;
  /** Seconds since the epoch; now by default. */
  issuedAt?: number;
  /** Claims to add or to replace; undefined leaves one out. */
  claims?: Record<string, unknown>;
  /** Header parameters to add or to replace; undefined leaves one out. */
  header?: Record<string, unknown>;
}

/** A client's key, to which tokens can be bound, and the proofs that it makes (RFC 9449). */
export class DpopKey {
  /** The public key, as it stands in proofs. */
  readonly jwk: JsonWebKey;
  /** Its thumbprint, for `cnf.jkt`. */
  readonly thumbprint: string;
  private readonly privateKey: KeyObject;

  constructor(
    /** What its proofs are signed with. */
    readonly alg: DpopAlgorithm,
  ) {
    const { publicKey, privateKey } = generate(alg);
    this.privateKey = privateKey;
    this.jwk = publicKey.export({ format: 'jwk' });
    this.thumbprint = proofKey(this.jwk, alg)?.thumbprint ?? '';
  }

  /** A proof for one request. */
  proof(options: DpopProofOptions): string {
    const { method = 'GET', url, token, nonce, issuedAt, claims, header } = options;
    const payload = {
      jti: randomUUID(),
      htm: method,
      htu: url.replace(/[?#].*$/, ''),
      iat: issuedAt ?? Math.floor(Date.now() / 1000),
      ath: createHash('sha256').update(token).digest('base64url'),
      nonce,
      ...claims,
    };
    return this.sign({ typ: 'dpop+jwt', alg: this.alg, jwk: this.jwk, ...header }, payload);
  }

  /** The two header fields of a request. */
  headers(options: DpopProofOptions): {
    /** The scheme `DPoP` and the token. */
    authorization: string;
    /** The proof. */
    dpop: string;
  } {
    return { authorization: `DPoP ${options.token}`, dpop: this.proof(options) };
  }

  /** Signs whatever it is given, whatever the header says. */
  sign(header: object | string, payload: object | string): string {
    const input = `${encodePart(header)}.${encodePart(payload)}`;
    const hash = { ES384: 'sha384', EdDSA: null, Ed25519: null }[this.alg as string];
    const signature = sign(hash === undefined ? 'sha256' : hash, Buffer.from(input), {
      key: this.privateKey,
      ...(this.alg.startsWith('ES') && { dsaEncoding: 'ieee-p1363' as const }),
      ...(this.alg === 'PS256' && { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }),
    });
    return `${input}.${signature.toString('base64url')}`;
  }
}

/**
 * A client's key for tokens that are bound to it.
 *
 * @example
 * const key = createDpopKey();
 * const token = issuer.token({ boundTo: key });
 * await fetch(url, { headers: key.headers({ url, token }) });
 */
export function createDpopKey(alg: DpopAlgorithm = DPOP_ALGORITHMS[0]): DpopKey {
  return new DpopKey(alg);
}

function generate(alg: DpopAlgorithm) {
  if (alg === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (alg === 'ES384') return generateKeyPairSync('ec', { namedCurve: 'P-384' });
  if (alg === 'PS256' || alg === 'RS256')
    return generateKeyPairSync('rsa', { modulusLength: 2048 });
  return generateKeyPairSync('ed25519');
}
