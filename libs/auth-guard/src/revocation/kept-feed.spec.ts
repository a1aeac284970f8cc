import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { keySource } from '../keys/from-options.js';
import { createTestIssuer, TestClock } from '../testing/index.js';
import type { TestIssuer } from '../testing/index.js';
import { TestRevocationFeed } from '../testing/revocation-feed.js';
import { TokenVerifier } from '../token/verifier.js';
import { RevocationFollower } from './follower.js';

let folder: string;
let snapshotPath: string;
let clock: TestClock;
let issuer: TestIssuer;
let feed: TestRevocationFeed;
let isDown: boolean;
let warnings: string[];
const followers: RevocationFollower[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'signet-revocations-'));
  snapshotPath = join(folder, 'kept', 'revocations.txt');
  clock = new TestClock();
  issuer = createTestIssuer({ clock });
  feed = new TestRevocationFeed(issuer, clock);
  isDown = false;
  warnings = [];
});

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

const stop = () => Promise.all(followers.splice(0).map((follower) => follower.close()));

/** The feed without a network; the test says what is streamed. */
function answer(url: string, signal: AbortSignal | null | undefined): Response {
  if (isDown) throw new Error('down');
  if (!url.endsWith('/stream')) return new Response(new Uint8Array(feed.snapshot()));
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      say = (type, data) => controller.enqueue(Buffer.from(`event: ${type}\ndata: ${data}\n\n`));
      signal?.addEventListener('abort', () => controller.error(new Error('closed')));
    },
  });
  return new Response(body);
}
let say: (type: string, data: string) => void = () => undefined;

async function start(context: { issuer?: string } = {}): Promise<RevocationFollower> {
  const follower = new RevocationFollower(
    {
      url: 'http://auth.test/revocations',
      snapshotPath,
      fetch: (url, init) => new Promise((resolve) => resolve(answer(url as string, init?.signal))),
    },
    {
      issuer: context.issuer ?? issuer.issuer,
      keys: keySource(issuer.keys, issuer.options),
      clock,
      log: { log: () => undefined, warn: (message) => void warnings.push(message) },
    },
  );
  followers.push(follower);
  await follower.start();
  return follower;
}

/** A service that is started again while auth is down. */
async function restartInOutage(context: { issuer?: string } = {}): Promise<RevocationFollower> {
  await stop();
  isDown = true;
  warnings = [];
  return start(context);
}

async function revoke(follower: RevocationFollower, sessionId: string): Promise<void> {
  const { seq = 0 } = follower.status;
  say('revocation', feed.revoke({ sessionId }));
  while (follower.status.seq !== seq + 1) await sleep(1);
}

/** So many seconds pass, in which the feed says that there is nothing new. */
async function listen(follower: RevocationFollower, seconds: number): Promise<void> {
  for (let passed = 0; passed < seconds; passed += 4) {
    clock.advance(4);
    const { heartbeats } = follower.status;
    say('heartbeat', feed.heartbeat());
    while (follower.status.heartbeats === heartbeats) await sleep(1);
  }
}

function refuses(follower: RevocationFollower, sessionId: string): boolean {
  const keys = keySource(issuer.keys, issuer.options);
  const principal = new TokenVerifier({ ...issuer.options, keys, clock }).verify(
    issuer.token({ sessionId }),
  );
  if (principal instanceof Promise) throw new Error('the key is at hand');
  return follower.isRevoked(principal);
}

const saved = () => readFile(snapshotPath, 'latin1');

describe('a service that starts while auth is down', () => {
  it('refuses what was revoked before it stopped, and nothing else', async () => {
    feed.revoke({ sessionId: 'before' });
    const follower = await start();
    await revoke(follower, 'after');
    const again = await restartInOutage();
    expect(warnings).toEqual([expect.stringContaining('is not followed (down)')]);
    expect(['before', 'after', 'other'].map((id) => refuses(again, id))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('knows how old that is, until the feed answers again', async () => {
    const follower = await start();
    await revoke(follower, 'a');
    clock.advance(3600);
    const again = await restartInOutage();
    expect(again.age()).toBe(3600);
    expect(again.status.seq).toBeUndefined();
    isDown = false;
    feed.revoke({ sessionId: 'meanwhile' });
    while (again.status.snapshots === 0) {
      clock.advance(1);
      await sleep(1);
    }
    expect(again.age()).toBeLessThan(2);
    expect(refuses(again, 'meanwhile')).toBe(true);
  });

  it('takes no part of the feed for now that is too old to say so', async () => {
    await start();
    clock.advance(90);
    isDown = true;
    const again = await restartInOutage();
    expect(again.age()).toBe(90);
  });

  it('forgets what no token can meet any more', async () => {
    feed.revoke({ sessionId: 'a', lifetime: 60 });
    await start();
    clock.advance(61);
    expect((await restartInOutage()).status.entries).toBe(0);
  });

  it('begins with nothing when it was never told where to keep it', async () => {
    const follower = await restartInOutage();
    expect(follower.status).toMatchObject({ entries: 0, age: Infinity });
    expect(warnings).toEqual([expect.stringContaining('is not followed')]);
  });
});

describe('the file', () => {
  it('is its owner’s alone, and replaced in one step', async () => {
    await start();
    await stop();
    expect((await stat(snapshotPath)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'kept'))).toEqual(['revocations.txt']);
  });

  it.each([
    ['a line is taken out of the snapshot', (text: string) => text.replace(/^s a .*\n/m, '')],
    ['a line is put into it', (text: string) => text.replace(/^(s a .*\n)/m, 's x 9999999999\n$1')],
    [
      'the signature is another',
      (text: string) => text.replace(/\.[\w-]{20}/g, '.AAAAAAAAAAAAAAAAAAAA'),
    ],
    ['it is cut off', (text: string) => text.slice(0, 400)],
    ['it is something else', () => 'anything\n'],
    ['it is empty', () => ''],
  ])('is not believed when %s', async (_name, change) => {
    feed.revoke({ sessionId: 'a' });
    await start();
    await stop();
    await writeFile(snapshotPath, change(await saved()));
    const again = await restartInOutage();
    expect(warnings[0]).toMatch(/The revocation snapshot is not used/);
    expect(again.status).toMatchObject({ entries: 0, age: Infinity });
  });

  it('is believed up to the event that is missing, or that somebody else has written', async () => {
    const follower = await start();
    for (const id of ['a', 'b', 'c']) await revoke(follower, id);
    await stop();
    const whole = await saved();
    await writeFile(snapshotPath, whole.replace(/^2 .*\n/m, ''));
    const gapped = await restartInOutage();
    expect(['a', 'b', 'c'].map((id) => refuses(gapped, id))).toEqual([true, false, false]);
    expect(warnings[0]).toMatch(/gapped/);

    const attacker = createTestIssuer({ clock });
    attacker.rotate();
    const forged = `4 ${new TestRevocationFeed(attacker, clock).revoke({ sessionId: 'd' })}\n`;
    await writeFile(snapshotPath, whole + forged);
    const again = await restartInOutage();
    expect(again.status.entries).toBe(3);
    expect(warnings[0]).toMatch(/forged/);
  });

  it('may have been cut off in its last line by a crash', async () => {
    const follower = await start();
    for (const id of ['a', 'b']) await revoke(follower, id);
    await stop();
    await writeFile(snapshotPath, (await saved()).slice(0, -100));
    const again = await restartInOutage();
    expect(['a', 'b'].map((id) => refuses(again, id))).toEqual([true, false]);
    expect(warnings).toEqual([expect.stringContaining('is not followed')]);
  });

  it('is not used when others could have written it, or when it is of another issuer', async () => {
    feed.revoke({ sessionId: 'a' });
    await start();
    await stop();
    expect((await restartInOutage({ issuer: 'https://other.test' })).status.entries).toBe(0);
    expect(warnings[0]).toMatch(/another issuer/);
    await chmod(snapshotPath, 0o666);
    expect((await restartInOutage()).status.entries).toBe(0);
    expect(warnings[0]).toMatch(/others than this process/);
  });

  it('gets a new snapshot in time, and loses nothing that came meanwhile', async () => {
    const follower = await start();
    await revoke(follower, 'a');
    await revoke(follower, 'b');
    while ((await saved().catch(() => '')).match(/^\d+ /gm)?.length !== 2) await sleep(2);
    await listen(follower, 301);
    await revoke(follower, 'c');
    while (!(await saved()).includes('s b ')) await sleep(2);
    await revoke(follower, 'd');
    const again = await restartInOutage();
    expect(['a', 'b', 'c', 'd'].map((id) => refuses(again, id))).toEqual([true, true, true, true]);
  });

  it('is said to be lost when it cannot be written, and nothing else happens', async () => {
    await writeFile(join(folder, 'kept'), 'a file where the directory should be');
    const follower = await start();
    await revoke(follower, 'a');
    await revoke(follower, 'b');
    expect(refuses(follower, 'b')).toBe(true);
    await stop();
    expect(warnings.filter((text) => text.includes('cannot be kept'))).toHaveLength(1);
  });
});
