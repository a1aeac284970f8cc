import { randomBytes } from 'node:crypto';
import { logIn, PASSWORD, startAuth, verify } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';
import { AesGcmKeyEncryption, KeyEncryptionError } from './key-encryption.js';
import { KEY_LIFE, KEY_STATES, mayBecome } from './key-states.js';

describe('the life of a key', () => {
  it('leads from next through active and retired to removed', () => {
    const life = ['next', 'active', 'retired', 'removed'] as const;
    for (const [at, state] of life.slice(0, -1).entries()) {
      expect(mayBecome(state, life[at + 1] ?? 'next')).toBe(true);
    }
    expect(KEY_LIFE.removed.to).toEqual([]);
  });

  it('never leads back, and never from not being published to signing', () => {
    for (const from of KEY_STATES) {
      for (const to of KEY_LIFE[from].to) {
        expect(KEY_STATES.indexOf(to)).toBeGreaterThan(KEY_STATES.indexOf(from));
        if (KEY_LIFE[to].signs) expect(KEY_LIFE[from].published).toBe(true);
      }
    }
  });

  it('lets a key that is not trusted any more be removed from everywhere', () => {
    for (const state of KEY_STATES.filter((name) => name !== 'removed')) {
      expect(mayBecome(state, 'removed')).toBe(true);
    }
  });
});

describe('an envelope', () => {
  const key = randomBytes(32);
  const encryption = new AesGcmKeyEncryption(key);

  it('gives back what was put in, and shows nothing of it', async () => {
    const envelope = await encryption.wrap('kid', Buffer.from('the private key'));
    expect(envelope).not.toContain(Buffer.from('the private key').toString('base64url'));
    expect(Buffer.from(await encryption.unwrap('kid', envelope)).toString()).toBe(
      'the private key',
    );
  });

  it('is another one each time', async () => {
    const secret = Buffer.from('the private key');
    expect(await encryption.wrap('kid', secret)).not.toBe(await encryption.wrap('kid', secret));
  });

  it('of the key before opens, and is told from one of the key in use', async () => {
    const next = randomBytes(32);
    const after = new AesGcmKeyEncryption(next, key);
    const old = await encryption.wrap('kid', Buffer.from('the private key'));
    expect(after.isCurrent(old)).toBe(false);
    expect(Buffer.from(await after.unwrap('kid', old)).toString()).toBe('the private key');
    const fresh = await after.wrap('kid', Buffer.from('the private key'));
    expect(after.isCurrent(fresh)).toBe(true);
    await expect(encryption.unwrap('kid', fresh)).rejects.toThrow(KeyEncryptionError);
  });

  it('does not open for another kid, altered, cut short or under another key', async () => {
    const envelope = await encryption.wrap('kid', Buffer.from('the private key'));
    const [version, id, nonce, ciphertext, tag = ''] = envelope.split('.');
    const altered = [version, id, nonce, Buffer.from('something else!').toString('base64url'), tag];
    const shortTag = [version, id, nonce, ciphertext, tag.slice(0, 6)];
    const other = new AesGcmKeyEncryption(randomBytes(32));
    for (const attempt of [
      encryption.unwrap('other', envelope),
      encryption.unwrap('kid', altered.join('.')),
      encryption.unwrap('kid', shortTag.join('.')),
      encryption.unwrap('kid', ''),
      other.unwrap('kid', envelope),
    ]) {
      await expect(attempt).rejects.toThrow(KeyEncryptionError);
    }
  });
});

describe('the key ring', () => {
  let auth: RunningAuth;

  beforeAll(async () => {
    const seeds = [{ email: 'root@example.com', password: PASSWORD, roles: ['admin'] }];
    auth = await startAuth({ environment: { SIGNET_SEED_ACCOUNTS: JSON.stringify(seeds) } });
  });

  it('is made at the first start: one key that signs, two that are announced', async () => {
    const token = (await logIn(auth, 'root@example.com')).body.access_token;
    const { body } = await auth.call('GET', '/admin/keys', { token });
    expect(body.items.map(({ state }) => state).sort()).toEqual(['active', 'next', 'next']);
    for (const key of body.items) {
      expect(Object.keys(key).sort()).toEqual([
        'activatedAt',
        'alg',
        'createdAt',
        'kid',
        'removedAt',
        'retiredAt',
        'state',
      ]);
    }
    const { header } = await verify(auth, token);
    const active = body.items.find(({ state }) => state === 'active');
    expect(header.kid).toBe(active?.kid);
  });
});
