import { verify } from 'node:crypto';
import { keySource, TokenVerifier } from '@signet/auth-guard';
import { JwtVerifier } from 'aws-jwt-verify';
import { createVerifier } from 'fast-jwt';
import { createLocalJWKSet, jwtVerify } from 'jose';
import jsonwebtoken from 'jsonwebtoken';
import { inRounds } from '../rounds.ts';
import type { Contender, Results, Sample } from '../rounds.ts';
import { AUDIENCE, ISSUER, keyPair, mintTokens } from './tokens.ts';

export const NAMES = {
  floor: 'the floor: crypto.verify, JSON.parse',
  ours: 'auth-guard',
  fastJwt: 'fast-jwt',
  aws: 'aws-jwt-verify',
  jose: 'jose',
  jsonwebtoken: 'jsonwebtoken, KeyObject',
  jsonwebtokenPem: 'jsonwebtoken, PEM',
  oursCached: 'auth-guard, remembered',
  fastJwtCached: 'fast-jwt, cached',
} as const;

type Verify = (token: string) => unknown;

/** Enough to find every token's text in memory, and not in the processor's nearest cache. */
const TOKENS = 1000;
const ROUNDS = { rounds: 31, warmUp: 5 };
/** How many tokens a round verifies: some 25 ms of work for each contender. */
const VERIFICATIONS = 1000;
const CACHED_VERIFICATIONS = 40_000;
/** jose works asynchronously: it gets requests at the same time, as a server does. */
const AT_ONCE = 16;

/** Every verifier with the same key, tokens and checks: signature, issuer, audience, expiry. */
export async function compareVerifiers(): Promise<Results> {
  const wire = (await mintTokens(TOKENS)).map((token) => Buffer.from(token, 'latin1'));
  const synchronous = { ...verifiers(), ...cachedVerifiers() };
  const contenders = Object.entries(synchronous).map(([key, verifyToken]) => {
    const repeats = key.endsWith('Cached') ? CACHED_VERIFICATIONS : VERIFICATIONS;
    return contender(NAMES[key as keyof typeof NAMES], () => {
      // A text of its own for every request, as HTTP has it; nothing knows its hash yet.
      for (let i = 0; i < repeats; i++) verifyToken(textAt(wire, i));
      return repeats;
    });
  });
  return inRounds([...contenders, contender(NAMES.jose, () => withJose(wire))], ROUNDS);
}

function verifiers(): Record<string, Verify> {
  const { publicKey, jwk } = keyPair;
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const claims = { issuer: ISSUER, audience: AUDIENCE };
  const ours = new TokenVerifier({
    ...claims,
    keys: keySource({ jwks: { keys: [jwk] } }, claims),
    cacheSize: 0,
  });
  const fastJwt = createVerifier({ ...fastJwtOptions(pem), cache: false });
  const jwksUri = `${ISSUER}/.well-known/jwks.json`;
  const aws = JwtVerifier.create({ ...claims, jwksUri });
  aws.cacheJwks({ keys: [jwk] } as Parameters<typeof aws.cacheJwks>[0]);
  const options = { ...claims, algorithms: ['RS256' as const] };
  return {
    floor,
    ours: (token) => ours.verify(token),
    fastJwt,
    aws: (token) => aws.verifySync(token),
    jsonwebtoken: (token) => jsonwebtoken.verify(token, publicKey, options),
    jsonwebtokenPem: (token) => jsonwebtoken.verify(token, pem, options),
  };
}

function cachedVerifiers(): Record<string, Verify> {
  const { publicKey, jwk } = keyPair;
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const claims = { issuer: ISSUER, audience: AUDIENCE };
  const ours = new TokenVerifier({ ...claims, keys: keySource({ jwks: { keys: [jwk] } }, claims) });
  return {
    oursCached: (token) => ours.verify(token),
    fastJwtCached: createVerifier({ ...fastJwtOptions(pem), cache: 10_000 }),
  };
}

function fastJwtOptions(key: string) {
  return { key, algorithms: ['RS256' as const], allowedIss: ISSUER, allowedAud: AUDIENCE };
}

/** What no verifier on node:crypto can do without. */
function floor(token: string): unknown {
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  const input = Buffer.from(token.slice(0, second), 'latin1');
  const signature = Buffer.from(token.slice(second + 1), 'base64url');
  if (!verify('sha256', input, keyPair.publicKey, signature)) throw new Error('forged');
  return JSON.parse(Buffer.from(token.slice(first + 1, second), 'base64url').toString());
}

const joseKeys = createLocalJWKSet({ keys: [keyPair.jwk] });

async function withJose(wire: readonly Buffer[]): Promise<number> {
  const options = { issuer: ISSUER, audience: AUDIENCE, algorithms: ['RS256'], typ: 'at+jwt' };
  let done = 0;
  const worker = async () => {
    while (done < VERIFICATIONS) await jwtVerify(textAt(wire, done++), joseKeys, options);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}

function textAt(wire: readonly Buffer[], index: number): string {
  return wire[index % wire.length]?.toString('latin1') ?? '';
}

/** @param work returns how many operations it did */
function contender(name: string, work: () => number | Promise<number>): Contender {
  return {
    name,
    async measure(): Promise<Sample> {
      const cpu = process.cpuUsage();
      const start = performance.now();
      const operations = await work();
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(cpu);
      return { rate: operations / seconds, cpu: (user + system) / operations };
    },
  };
}
