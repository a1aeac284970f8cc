import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { KeysUnavailableError } from '../../errors.js';
import { createKeyPair, createTestIssuer, TestClock } from '../../testing/index.js';
import type { JwksServer, TestIssuer } from '../../testing/index.js';
import { RemoteKeys } from './remote-keys.js';

let folder: string;
let snapshotPath: string;
let clock: TestClock;
let issuer: TestIssuer;
let server: JwksServer;
let warnings: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-snapshot-'));
  snapshotPath = join(folder, 'keys', 'jwks.json');
  clock = new TestClock();
  issuer = createTestIssuer({ clock });
  server = await issuer.serve();
  warnings = [];
});

afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

/** Starts a service; what it could verify with is in `keys`. */
async function start(context: { issuer?: string } = {}): Promise<RemoteKeys> {
  const log = { log: () => undefined, warn: (message: string) => void warnings.push(message) };
  const keys = new RemoteKeys(
    { jwksUri: server.jwksUri, snapshotPath },
    { issuer: context.issuer ?? issuer.issuer, clock, log },
  );
  await keys.start();
  keys.close();
  return keys;
}

const goDown = () => server.answerWith((response) => response.destroy());

async function change(edit: (saved: Record<string, unknown>) => void): Promise<void> {
  const saved = JSON.parse(await readFile(snapshotPath, 'utf8')) as Record<string, unknown>;
  edit(saved);
  await writeFile(snapshotPath, JSON.stringify(saved));
}

describe('a service that is started while the issuer is down', () => {
  it('verifies with the keys it had before', async () => {
    await start();
    goDown();
    clock.advance(600);
    const keys = await start();
    expect(keys.isReady()).toBe(true);
    expect(keys.getKey(issuer.keyPair.kid)).toBeDefined();
  });

  it('does not use them for longer than it would have without the restart', async () => {
    await start();
    goDown();
    clock.advance(3590);
    const keys = await start();
    expect(keys.isReady()).toBe(true);
    clock.advance(11);
    expect(keys.isReady()).toBe(false);
  });

  it('takes the new keys as soon as it hears of them', async () => {
    await start();
    const old = issuer.keyPair;
    issuer.rotate();
    issuer.withdraw(old);
    const keys = await start();
    expect(await keys.getKey(old.kid)).toBeUndefined();
    expect(keys.getKey(issuer.keyPair.kid)).toBeDefined();
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'is older than keys may get',
      () => change((saved) => (saved.fetchedAt = clock.now() - 3_600_001)),
    ],
    ['is from the future', () => change((saved) => (saved.fetchedAt = clock.now() + 1000))],
    ['has no date', () => change((saved) => delete saved.fetchedAt)],
    ['is of another issuer', () => change((saved) => (saved.issuer = 'https://other.test'))],
    ['came from another address', () => change((saved) => (saved.jwksUri = 'https://other.test/'))],
    ['has another format', () => change((saved) => (saved.format = 'other'))],
    ['holds a weak key', () => change((saved) => (saved.jwks = weakSet()))],
    ['holds two keys of one kid', () => change((saved) => (saved.jwks = ambiguousSet()))],
    ['is cut short', () => writeFile(snapshotPath, '{"format":')],
    ['is empty', () => writeFile(snapshotPath, '')],
    ['is no object', () => writeFile(snapshotPath, 'null')],
    ['is huge', () => writeFile(snapshotPath, ' '.repeat(200_000))],
    ['could have been written by others', () => chmod(snapshotPath, 0o666)],
    ['is a link to somewhere else', () => replaceByLink()],
    ['is a folder', () => replaceByFolder()],
  ])('does not use a snapshot that %s, says why, and starts', async (_what, spoil) => {
    await start();
    await spoil();
    goDown();
    const keys = await start();
    expect(keys.isReady()).toBe(false);
    expect(warnings.some((text) => text.startsWith('The key snapshot is not used: '))).toBe(true);
    await expect(keys.getKey(issuer.keyPair.kid)).rejects.toThrow(KeysUnavailableError);
  });

  it('starts without a snapshot, too', async () => {
    goDown();
    expect((await start()).isReady()).toBe(false);
    expect(warnings.filter((text) => text.includes('snapshot'))).toEqual([]);
  });
});

describe('the snapshot', () => {
  it('is no matter of a warning when it is of yesterday and the issuer is there', async () => {
    await start();
    clock.advance(86_400);
    expect((await start()).isReady()).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('is, all the same, when somebody has changed it', async () => {
    await start();
    await chmod(snapshotPath, 0o666);
    expect((await start()).isReady()).toBe(true);
    expect(warnings).toEqual([expect.stringContaining('The key snapshot is not used: ')]);
  });

  it('can be read and written by its owner alone', async () => {
    await start();
    expect((await stat(snapshotPath)).mode & 0o777).toBe(0o600);
  });

  it('replaces the one before in one step and leaves nothing beside it', async () => {
    await start();
    await start();
    expect(await readdir(dirname(snapshotPath))).toEqual(['jwks.json']);
  });

  it('holds public keys and where they came from, and nothing else', async () => {
    await start();
    const saved = JSON.parse(await readFile(snapshotPath, 'utf8')) as object;
    expect(saved).toEqual({
      format: 'signet-key-snapshot/1',
      issuer: issuer.issuer,
      jwksUri: server.jwksUri,
      fetchedAt: clock.now(),
      jwks: { keys: [issuer.keyPair.jwk] },
    });
  });

  it('that cannot be written keeps nobody from verifying', async () => {
    await writeFile(join(folder, 'keys'), 'a file where a folder should be');
    const keys = await start();
    expect(keys.isReady()).toBe(true);
    expect(warnings.some((text) => text.startsWith('The key snapshot cannot be written'))).toBe(
      true,
    );
  });
});

function weakSet(): object {
  return { keys: [createKeyPair('weak', 1024).jwk] };
}

function ambiguousSet(): object {
  return { keys: [issuer.keyPair.jwk, issuer.keyPair.jwk] };
}

async function replaceByLink(): Promise<void> {
  const elsewhere = join(folder, 'elsewhere.json');
  await writeFile(elsewhere, await readFile(snapshotPath), { mode: 0o600 });
  await rm(snapshotPath);
  await symlink(elsewhere, snapshotPath);
}

async function replaceByFolder(): Promise<void> {
  await rm(snapshotPath);
  await mkdir(snapshotPath, { mode: 0o700 });
}
