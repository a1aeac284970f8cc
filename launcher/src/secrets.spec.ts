import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSecrets } from './secrets.ts';

let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'signet-secrets-')), 'secrets.json');
});
afterEach(() => rm(join(file, '..'), { recursive: true }));

it('makes the secrets at the first start and keeps them', async () => {
  const first = await loadSecrets(file);
  const second = await loadSecrets(file);
  expect(second.secrets).toEqual(first.secrets);
  expect(first.resetPasswords).toBe(true);
  expect(second.resetPasswords).toBe(false);
});

it('makes them strong, and those for people readable', async () => {
  const { secrets } = await loadSecrets(file);
  expect(Buffer.from(secrets.keyEncryptionKey, 'base64url')).toHaveLength(32);
  const passwords = Object.values(secrets.demoPasswords);
  expect(new Set(passwords).size).toBe(4);
  for (const password of passwords) expect(password).toMatch(/^([a-z]{5}-){3}[a-z]{5}$/);
});

it('lets nobody else read the file, even one that was readable before', async () => {
  await loadSecrets(file);
  await chmod(file, 0o644);
  await loadSecrets(file);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

it('gives every demo account the password that is asked for, and keeps that', async () => {
  await loadSecrets(file);
  const { secrets, resetPasswords } = await loadSecrets(file, 'chosen password');
  expect(new Set(Object.values(secrets.demoPasswords))).toEqual(new Set(['chosen password']));
  expect(resetPasswords).toBe(true);
  expect((await loadSecrets(file)).secrets).toEqual(secrets);
});

it('adds what a file of an earlier version lacks', async () => {
  const { cookieSecret, ...rest } = (await loadSecrets(file)).secrets;
  await writeFile(file, JSON.stringify(rest));
  const again = await loadSecrets(file);
  expect(again.secrets).toMatchObject(rest);
  expect(again.secrets.cookieSecret).not.toBe(cookieSecret);
});

it('does not replace a file that it cannot read', async () => {
  await writeFile(file, '{ "postgresPassword": ');
  await expect(loadSecrets(file)).rejects.toThrow(`${file} is not JSON`);
});
