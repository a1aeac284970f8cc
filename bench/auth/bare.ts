import { hashSync } from '@node-rs/argon2';
import { generateKeyPairSync, sign } from 'node:crypto';
import type { Sample } from '../rounds.ts';

/** OWASP's parameters, as the service has them. */
const ARGON2ID = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** The size of what is signed of an access token. */
const SIGNED = Buffer.alloc(600, 'a');

/** RS256 with a 2048-bit key, on one core. */
export function signBare(): Sample {
  return onOneCore(300, () => sign('sha256', SIGNED, privateKey));
}

/** argon2id of one password, on one core. */
export function hashBare(): Sample {
  return onOneCore(10, () => hashSync('correct horse battery staple', ARGON2ID));
}

function onOneCore(times: number, work: () => unknown): Sample {
  const before = process.cpuUsage();
  const start = performance.now();
  for (let time = 0; time < times; time++) work();
  const elapsed = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { rate: times / elapsed, cpu: (user + system) / times };
}
