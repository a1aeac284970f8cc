import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { JWK } from 'jose';

const ALGORITHM = 'RS256';
const MODULUS_BITS = 2048;

export interface NewSigningKey {
  /** RFC 7638 thumbprint. */
  kid: string;
  publicJwk: JWK;
  privateJwk: JWK;
}

/** Makes an RS256 key. Takes some hundred milliseconds, off the event loop. */
export async function generateSigningKey(): Promise<NewSigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, {
    modulusLength: MODULUS_BITS,
    extractable: true,
  });
  const publicJwk = await exportJWK(publicKey);
  const kid = await calculateJwkThumbprint(publicJwk);
  const names = { kid, alg: ALGORITHM, use: 'sig' };
  return {
    kid,
    publicJwk: { ...publicJwk, ...names },
    privateJwk: { ...(await exportJWK(privateKey)), ...names },
  };
}
