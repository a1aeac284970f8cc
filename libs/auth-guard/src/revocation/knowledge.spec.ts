import { createHash } from 'node:crypto';
import { keySource } from '../keys/from-options.js';
import { createKeyPair, createTestIssuer, signJws, TestClock } from '../testing/index.js';
import { TestRevocationFeed } from '../testing/revocation-feed.js';
import { TokenVerifier } from '../token/verifier.js';
import { REVOCATION_FEED } from './feed-format.js';
import { RevocationKnowledge } from './knowledge.js';
import type { RefusalReason } from './refusal.js';

const clock = new TestClock(1_800_000_000_000);
const issuer = createTestIssuer({ clock });

function setUp({ maxEntries = 1000 } = {}) {
  const feed = new TestRevocationFeed(issuer, clock);
  const keys = keySource(issuer.keys, issuer.options);
  const knowledge = new RevocationKnowledge({
    issuer: issuer.issuer,
    audience: REVOCATION_FEED.audience,
    keys,
    clock,
    clockTolerance: 5000,
    maxEntries,
  });
  const verifier = new TokenVerifier({ ...issuer.options, keys, clock });
  const opens = (token: string) => {
    const principal = verifier.verify(token);
    if (principal instanceof Promise) throw new Error('the key is at hand');
    return !knowledge.isRevoked(principal);
  };
  return { feed, knowledge, opens };
}

function refused(counts: Record<RefusalReason, number>) {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}

describe('what is known of revocations', () => {
  it('is nothing at first, and infinitely old', () => {
    const { knowledge, opens } = setUp();
    expect(knowledge.age()).toBe(Infinity);
    expect(knowledge.position).toBeUndefined();
    expect(opens(issuer.token())).toBe(true);
  });

  it('comes from a snapshot and goes on with events', async () => {
    const { feed, knowledge, opens } = setUp();
    feed.revoke({ sessionId: 'a' });
    await knowledge.applySnapshot(feed.snapshot());
    await knowledge.applyEvent(feed.revoke({ sessionId: 'b' }));
    expect(['a', 'b', 'c'].map((sessionId) => opens(issuer.token({ sessionId })))).toEqual([
      false,
      false,
      true,
    ]);
    expect(knowledge.position).toMatchObject({ seq: 2 });
    expect(knowledge.counts).toMatchObject({ snapshots: 1, events: 1 });
  });

  it('concerns only tokens from before, when an entry says so', async () => {
    const { feed, knowledge, opens } = setUp();
    await knowledge.applySnapshot(feed.snapshot());
    const old = issuer.token();
    const before = clock.now() / 1000 + 1;
    await knowledge.applyEvent(feed.revoke({ sessionId: 'session-1', before }));
    expect(opens(old)).toBe(false);
    expect(opens(issuer.token({ claims: { iat: before, exp: before + 600 } }))).toBe(true);
  });

  it('concerns all tokens of a client, its users’ and its own', async () => {
    const { feed, knowledge, opens } = setUp();
    await knowledge.applySnapshot(feed.snapshot());
    await knowledge.applyEvent(feed.revoke({ clientId: 'shop' }));
    expect(opens(issuer.token({ clientId: 'shop' }))).toBe(false);
    expect(opens(issuer.serviceToken({ clientId: 'shop' }))).toBe(false);
    expect(opens(issuer.serviceToken({ clientId: 'other' }))).toBe(true);
  });

  it('is not weakened by a later, milder entry for the same login', async () => {
    const { feed, knowledge, opens } = setUp();
    await knowledge.applySnapshot(feed.snapshot());
    await knowledge.applyEvent(feed.revoke({ sessionId: 'a' }));
    await knowledge.applyEvent(feed.revoke({ sessionId: 'a', before: 1 }));
    expect(opens(issuer.token({ sessionId: 'a' }))).toBe(false);
  });

  it('is as old as the last heartbeat, whatever came since', async () => {
    const { feed, knowledge } = setUp();
    await knowledge.applySnapshot(feed.snapshot());
    expect(knowledge.age()).toBe(0);
    clock.advance(7);
    expect(knowledge.age()).toBe(7);
    await knowledge.applyEvent(feed.revoke({}));
    expect(knowledge.age()).toBe(7);
    await knowledge.applyHeartbeat(feed.heartbeat());
    expect(knowledge.age()).toBe(0);
  });

  it('is forgotten when no token can meet it any more, and not before', async () => {
    const { feed, knowledge } = setUp();
    await knowledge.applySnapshot(feed.snapshot());
    await knowledge.applyEvent(feed.revoke({ sessionId: 'a', lifetime: 60 }));
    await knowledge.applyEvent(feed.revoke({ sessionId: 'b', lifetime: 120 }));
    clock.advance(60);
    knowledge.sweep();
    expect(knowledge.size).toBe(2);
    clock.advance(1);
    knowledge.sweep();
    expect([...knowledge.list()]).toMatchObject([{ id: 'b' }]);
  });

  it('is asked for anew when the clock was ahead and is set back, and is not called fresh before', async () => {
    const { feed, knowledge, opens } = setUp();
    const token = issuer.token({ sessionId: 'a' });
    feed.revoke({ sessionId: 'a', lifetime: 660 });
    await knowledge.applySnapshot(feed.snapshot());
    const snapshot = feed.snapshot();
    clock.advance(900);
    knowledge.sweep();
    clock.advance(-900);
    knowledge.sweep();
    expect([knowledge.position, knowledge.age()]).toEqual([undefined, Infinity]);
    await knowledge.applySnapshot(snapshot);
    expect([opens(token), knowledge.age()]).toEqual([false, 0]);
  });

  it('counts as infinitely old while there is more than there is room for', async () => {
    const { feed, knowledge } = setUp({ maxEntries: 10 });
    for (let n = 0; n < 11; n++) feed.revoke({ sessionId: `session-${n}`, lifetime: 60 });
    await knowledge.applySnapshot(feed.snapshot());
    expect([knowledge.size, knowledge.age()]).toEqual([10, Infinity]);
    clock.advance(61);
    knowledge.sweep();
    expect([knowledge.size, knowledge.position]).toEqual([0, undefined]);
    await knowledge.applySnapshot(feed.snapshot());
    expect(knowledge.age()).toBe(0);
  });

  it('survives that the issuer went back to a backup: nothing is forgotten, the feed goes on', async () => {
    const { feed, knowledge, opens } = setUp();
    feed.revoke({ sessionId: 'a' });
    feed.revoke({ sessionId: 'b' });
    await knowledge.applySnapshot(feed.snapshot());
    const restored = new TestRevocationFeed(issuer, clock);
    clock.advance(1);
    restored.revoke({ sessionId: 'c' });
    await expect(knowledge.applyHeartbeat(restored.heartbeat())).rejects.toThrow('rolled back');
    knowledge.loseTrack();
    await knowledge.applySnapshot(restored.snapshot());
    expect(knowledge.counts.rewinds).toBe(1);
    expect(['a', 'b', 'c'].map((sessionId) => opens(issuer.token({ sessionId })))).toEqual([
      false,
      false,
      false,
    ]);
    await knowledge.applyHeartbeat(restored.heartbeat());
    expect(knowledge.age()).toBe(0);
  });
});

describe('what is not believed', () => {
  /** A knowledge that has one entry, and a feed that has another one to tell. */
  async function ready() {
    const all = setUp();
    all.feed.revoke({ sessionId: 'a' });
    await all.knowledge.applySnapshot(all.feed.snapshot());
    clock.advance(1);
    return all;
  }

  const claimsOf = (message: string) =>
    JSON.parse(Buffer.from(message.split('.')[1] ?? '', 'base64url').toString()) as object;

  async function refusesEvent(message: string, reason: RefusalReason) {
    const { knowledge } = await ready();
    await expect(knowledge.applyEvent(message)).rejects.toMatchObject({ reason });
    expect(refused(knowledge.counts.refused)).toEqual({ [reason]: 1 });
    expect([knowledge.size, knowledge.position?.seq]).toEqual([1, 1]);
  }

  /** The next event of a feed that is where the knowledge is. */
  function nextEvent(): TestRevocationFeed & { next: string } {
    const feed = new TestRevocationFeed(issuer, clock);
    feed.revoke({ sessionId: 'a' });
    return Object.assign(feed, { next: feed.revoke({ sessionId: 'b' }) });
  }

  it.each<[string, (feed: ReturnType<typeof nextEvent>) => string, RefusalReason]>([
    ['an access token', () => issuer.token(), 'mistyped'],
    [
      'an access token with the feed’s audience',
      () => issuer.token({ audience: REVOCATION_FEED.audience }),
      'mistyped',
    ],
    ['a heartbeat', (feed) => feed.heartbeat(), 'mistyped'],
    [
      'the same claims with another typ',
      (feed) => feed.sign('JWT', claimsOf(feed.next) as Record<string, unknown>),
      'mistyped',
    ],
    [
      'a SET for somebody else',
      (feed) => feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), aud: 'urn:other' }),
      'misaddressed',
    ],
    [
      'a SET of another issuer',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), iss: 'https://evil.test' }),
      'misaddressed',
    ],
    [
      'a SET for several',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, {
          ...claimsOf(feed.next),
          aud: [REVOCATION_FEED.audience],
        }),
      'misaddressed',
    ],
    [
      'a SET that expires',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), exp: 2_000_000_000 }),
      'mistyped',
    ],
    [
      'an event of another kind',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, {
          ...claimsOf(feed.next),
          events: { 'https://schemas.openid.net/secevent/caep/event-type/credential-change': {} },
        }),
      'mistyped',
    ],
    [
      'two events at once',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, {
          ...claimsOf(feed.next),
          events: { [REVOCATION_FEED.sessionRevoked]: {}, [REVOCATION_FEED.tokenClaimsChange]: {} },
        }),
      'mistyped',
    ],
    [
      'a subject without an id',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, {
          ...claimsOf(feed.next),
          sub_id: { format: 'opaque' },
        }),
      'malformed',
    ],
    [
      'no end',
      (feed) => feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), until: null }),
      'malformed',
    ],
    ['text', () => 'hello', 'malformed'],
    ['nothing', () => '', 'malformed'],
    ['a SET without its signature', (feed) => feed.next.replace(/[^.]*$/, ''), 'forged'],
    [
      'a SET with another login in it',
      (feed) => {
        const [header, , signature] = feed.next.split('.');
        const claims = { ...claimsOf(feed.next), sub_id: { format: 'opaque', id: 'x' } };
        return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join(
          '.',
        );
      },
      'forged',
    ],
    [
      'the next entry in the place of one after it',
      (feed) => feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), seq: 3 }),
      'gapped',
    ],
    [
      'another entry in the next one’s place',
      (feed) =>
        feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), until: 1_900_000_000 }),
      'forked',
    ],
    [
      'what is known already',
      (feed) => feed.sign(REVOCATION_FEED.eventType, { ...claimsOf(feed.next), seq: 1 }),
      'replayed',
    ],
  ])('as an event: %s', (_what, message, reason) => refusesEvent(message(nextEvent()), reason));

  it('as an event: one signed with a key that is not published', async () => {
    const feed = nextEvent();
    const { privateKey, kid } = createKeyPair();
    const header = { alg: 'RS256', typ: REVOCATION_FEED.eventType, kid };
    await refusesEvent(signJws(header, claimsOf(feed.next), privateKey), 'forged');
    const claimed = { ...header, kid: issuer.keyPair.kid };
    await refusesEvent(signJws(claimed, claimsOf(feed.next), privateKey), 'forged');
  });

  it('as a heartbeat: an old one, one from the future, one that knows of more or of less', async () => {
    const { feed, knowledge } = await ready();
    const old = feed.heartbeat();
    clock.advance(1);
    await knowledge.applyHeartbeat(feed.heartbeat());
    await expect(knowledge.applyHeartbeat(old)).rejects.toMatchObject({ reason: 'replayed' });
    clock.advance(1);
    const claims = { seq: 1, chain: knowledge.position?.chain, as_of: clock.now() };
    const sign = (changed: object) =>
      feed.sign(REVOCATION_FEED.heartbeatType, { ...claims, ...changed });
    const future = sign({ as_of: clock.now() + 5001 });
    await expect(knowledge.applyHeartbeat(future)).rejects.toMatchObject({ reason: 'premature' });
    await expect(knowledge.applyHeartbeat(sign({ seq: 2 }))).rejects.toMatchObject({
      reason: 'gapped',
    });
    await expect(knowledge.applyHeartbeat(sign({ seq: 0 }))).rejects.toMatchObject({
      reason: 'rolled_back',
    });
    const otherChain = sign({ chain: REVOCATION_FEED.genesis });
    await expect(knowledge.applyHeartbeat(otherChain)).rejects.toMatchObject({ reason: 'forked' });
    expect(knowledge.age()).toBe(1);
  });

  it('as a snapshot: one from before, one that is too old, cut off, with a line more or another head', async () => {
    const { feed, knowledge } = await ready();
    const older = feed.snapshot();
    feed.revoke({ sessionId: 'b' });
    clock.advance(1);
    const good = feed.snapshot();
    await knowledge.applySnapshot(good);
    const known = [...knowledge.list()];
    const refuses = (bytes: Buffer, reason: RefusalReason) =>
      expect(knowledge.applySnapshot(bytes)).rejects.toMatchObject({ reason });

    await refuses(older, 'rolled_back');
    await refuses(good.subarray(0, -1), 'malformed');
    await refuses(good.subarray(0, good.indexOf('\n')), 'malformed');
    await refuses(Buffer.concat([good, Buffer.from('s x 1900000000\n')]), 'malformed');
    const text = good.toString();
    await refuses(Buffer.from(text.replace('s a ', 's x ')), 'malformed');
    await refuses(Buffer.from(feed.heartbeat() + text.slice(text.indexOf('\n'))), 'mistyped');
    await refuses(Buffer.from(issuer.token() + text.slice(text.indexOf('\n'))), 'mistyped');
    clock.advance(70);
    await refuses(good, 'outdated');
    expect([...knowledge.list()]).toEqual(known);
  });

  it('as a snapshot: lines that are none, though the issuer signed them', async () => {
    const { feed, knowledge } = await ready();
    const lines = 'q what 1\n';
    const head = feed.sign(REVOCATION_FEED.snapshotType, {
      ...{ seq: 9, chain: REVOCATION_FEED.genesis, as_of: clock.now(), count: 1 },
      exp: clock.now() / 1000 + 60,
      sha256: createHash('sha256').update(lines).digest('base64url'),
    });
    await expect(knowledge.applySnapshot(Buffer.from(`${head}\n${lines}`))).rejects.toMatchObject({
      reason: 'malformed',
    });
    expect(knowledge.position?.seq).toBe(1);
  });

  it('as an access token: a SET, even for a verifier of the feed’s audience', () => {
    const feed = new TestRevocationFeed(issuer, clock);
    const verifier = new TokenVerifier({
      issuer: issuer.issuer,
      audience: REVOCATION_FEED.audience,
      keys: keySource(issuer.keys, issuer.options),
      clock,
    });
    for (const message of [feed.revoke({}), feed.heartbeat()]) {
      expect(() => verifier.verify(message)).toThrow('at+jwt');
    }
  });
});
