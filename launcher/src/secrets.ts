import { randomBytes } from 'node:crypto';
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { DEMO_ROLES, SERVICES, type DemoRole, type ServiceName } from './services.ts';

/** What the launcher makes at the first start and keeps. All but the passwords for people are opaque. */
export interface Secrets {
  /** The embedded server's superuser. */
  postgresPassword: string;
  databasePasswords: Record<ServiceName, string>;
  /** 32 bytes in base64url. */
  keyEncryptionKey: string;
  cookieSecret: string;
  ordersClientSecret: string;
  sandboxApiKey: string;
  sandboxWebhookSecret: string;
  demoPasswords: Record<DemoRole, string>;
}

/**
 * Reads the secrets from `file`, and first makes those that it lacks.
 *
 * @param demoPassword every demo account's password from now on, when given
 * @returns `resetPasswords`: whether the accounts must be given the demo passwords again, since they
 *   may have been made with others
 */
export async function loadSecrets(
  file: string,
  demoPassword?: string,
): Promise<{ secrets: Secrets; resetPasswords: boolean }> {
  const text = await readFile(file, 'utf8').catch(orUndefined);
  const secrets = complete(text === undefined ? {} : parse(text, file));
  if (demoPassword !== undefined) secrets.demoPasswords = forEach(DEMO_ROLES, () => demoPassword);
  await write(file, JSON.stringify(secrets, undefined, 2));
  return { secrets, resetPasswords: text === undefined || demoPassword !== undefined };
}

function complete(known: Partial<Secrets>): Secrets {
  const services = SERVICES.map(({ name }) => name);
  return {
    postgresPassword: random(),
    keyEncryptionKey: random(),
    cookieSecret: random(),
    ordersClientSecret: random(),
    sandboxApiKey: random(),
    sandboxWebhookSecret: random(),
    ...known,
    databasePasswords: { ...forEach(services, random), ...known.databasePasswords },
    demoPasswords: { ...forEach(DEMO_ROLES, speakable), ...known.demoPasswords },
  };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

/**
 * 64 random bits as four words that can be read aloud, such as `lusab-babad-gutih-tugad`: proquints
 * (https://arxiv.org/abs/0901.4016).
 */
function speakable(): string {
  const words = Array.from({ length: 4 }, () => {
    const bits = randomBytes(2).readUInt16BE();
    const consonant = (shift: number) => 'bdfghjklmnprstvz'.charAt((bits >> shift) & 15);
    const vowel = (shift: number) => 'aiou'.charAt((bits >> shift) & 3);
    return consonant(12) + vowel(10) + consonant(6) + vowel(4) + consonant(0);
  });
  return words.join('-');
}

function forEach<Key extends string>(
  keys: readonly Key[],
  make: () => string,
): Record<Key, string> {
  return Object.fromEntries(keys.map((key) => [key, make()])) as Record<Key, string>;
}

function parse(text: string, file: string): Partial<Secrets> {
  try {
    return JSON.parse(text) as Partial<Secrets>;
  } catch {
    throw new Error(`${file} is not JSON. Repair it, or start afresh with --reset.`);
  }
}

/** Through a rename, so that a crash never leaves half a file. */
async function write(file: string, text: string): Promise<void> {
  const partial = `${file}.new`;
  await writeFile(partial, `${text}\n`, { mode: 0o600 });
  await chmod(partial, 0o600);
  await rename(partial, file);
}

function orUndefined(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
