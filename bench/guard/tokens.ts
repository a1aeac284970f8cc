import { randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { createKeyPair } from '@signet/auth-guard/testing';

export const ISSUER = 'https://auth.example.com';
export const AUDIENCE = 'urn:example:api';

/** An RSA key of 2048 bits; its JWK says what a key set would. */
export const keyPair = createKeyPair();

const signOnPool = promisify(sign);
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const header = encode({ alg: 'RS256', typ: 'at+jwt', kid: keyPair.kid });

/** Different access tokens of the form that Signet's auth service issues. */
export async function mintTokens(count: number): Promise<string[]> {
  const tokens: string[] = [];
  while (tokens.length < count) {
    const batch = Math.min(256, count - tokens.length);
    tokens.push(...(await Promise.all(Array.from({ length: batch }, () => mint(keyPair)))));
  }
  return tokens;
}

async function mint({ privateKey }: { privateKey: KeyObject }): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = encode({
    iss: ISSUER,
    sub: randomUUID(),
    aud: AUDIENCE,
    iat: now,
    exp: now + 3600,
    jti: randomUUID(),
    client_id: 'web',
    sid: randomUUID(),
    roles: ['customer'],
    scope: 'openid profile orders:read',
    auth_time: now,
    acr: '1',
    amr: ['pwd'],
  });
  const input = `${header}.${payload}`;
  const signature = await signOnPool('sha256', Buffer.from(input), privateKey);
  return `${input}.${signature.toString('base64url')}`;
}
