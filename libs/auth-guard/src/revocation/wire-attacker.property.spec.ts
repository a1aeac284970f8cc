import fc from 'fast-check';
import { keySource } from '../keys/from-options.js';
import { createTestIssuer, TestClock } from '../testing/index.js';
import { TestRevocationFeed } from '../testing/revocation-feed.js';
import { REVOCATION_FEED } from './feed-format.js';
import { RevocationKnowledge } from './knowledge.js';
import { FeedRefusal } from './refusal.js';

const NUM_RUNS = Number(process.env.SIGNET_PROPERTY_RUNS ?? 2000) / 10;

const clock = new TestClock(1_800_000_000_000);
const issuer = createTestIssuer({ clock });
const stranger = createTestIssuer({ issuer: issuer.issuer, clock });
stranger.rotate();

const KINDS = ['event', 'heartbeat', 'snapshot'] as const;
type Kind = (typeof KINDS)[number];
interface Message {
  kind: Kind;
  bytes: Buffer;
}

const ENTRIES = 6;

/** Everything that an honest feed ever said, in order, and what a stranger would say. */
const honest: Message[] = [];
const forged: Message[] = [];
const started = clock.now();
for (const [source, messages] of [
  [issuer, honest],
  [stranger, forged],
] as const) {
  const feed = new TestRevocationFeed(source, clock);
  const say = (kind: Kind, bytes: string | Buffer) =>
    messages.push({ kind, bytes: Buffer.from(bytes) });
  for (let n = 1; n <= ENTRIES; n++) {
    clock.advance(0.001);
    say('event', feed.revoke({ sessionId: `session-${n}`, ...(n % 2 && { before: n }) }));
    say('heartbeat', feed.heartbeat());
    say('snapshot', feed.snapshot());
  }
}

const anyMessage = fc.constantFrom(...honest);

/** What somebody on the wire can send: anything that was ever sent, changed or not, and own work. */
const attack: fc.Arbitrary<Message> = fc.oneof(
  anyMessage,
  fc.constantFrom(...forged),
  fc.record({ kind: fc.constantFrom(...KINDS), bytes: anyMessage.map(({ bytes }) => bytes) }),
  fc.tuple(anyMessage, fc.nat(2000)).map(([{ kind, bytes }, length]) => ({
    kind,
    bytes: bytes.subarray(0, length % bytes.length),
  })),
  fc
    .tuple(anyMessage, fc.nat(5000), fc.integer({ min: 1, max: 255 }))
    .map(([message, at, flip]) => {
      const changed = Buffer.from(message.bytes);
      const index = at % changed.length;
      changed[index] = changed.readUInt8(index) ^ flip;
      return { kind: message.kind, bytes: changed };
    }),
  fc.record({
    kind: fc.constantFrom(...KINDS),
    bytes: fc.constant(Buffer.from(issuer.token())),
  }),
);

function newKnowledge() {
  return new RevocationKnowledge({
    issuer: issuer.issuer,
    audience: REVOCATION_FEED.audience,
    keys: keySource(issuer.keys, issuer.options),
    clock,
    clockTolerance: 5000,
    maxEntries: 1000,
  });
}

function apply(knowledge: RevocationKnowledge, { kind, bytes }: Message): Promise<void> {
  if (kind === 'snapshot') return knowledge.applySnapshot(bytes);
  const text = bytes.toString('latin1');
  return kind === 'event' ? knowledge.applyEvent(text) : knowledge.applyHeartbeat(text);
}

const idsIn = (knowledge: RevocationKnowledge) =>
  new Set([...knowledge.list()].map(({ id }) => id));

it('lets nobody on the wire take an entry away, invent one, or make old knowledge look new', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(attack, { maxLength: 30 }), async (messages) => {
      const knowledge = newKnowledge();
      let counted = 0;
      let known = idsIn(knowledge);
      let age = knowledge.age();
      for (const message of messages) {
        try {
          await apply(knowledge, message);
        } catch (error) {
          if (!(error instanceof FeedRefusal)) throw error;
          counted += 1;
        }
        const now = idsIn(knowledge);
        for (const id of known) expect(now).toContain(id);
        for (const id of now) expect(id).toMatch(/^session-[1-6]$/);
        expect(knowledge.age()).toBeLessThanOrEqual(age);
        // Nobody but the issuer says as of when it is known: everything up to there is there.
        const upTo = Math.round(clock.now() - started - knowledge.age() * 1000);
        for (let n = 1; n <= Math.min(upTo, ENTRIES); n++) expect(now).toContain(`session-${n}`);
        known = now;
        age = knowledge.age();
      }
      const { refused } = knowledge.counts;
      expect(Object.values(refused).reduce((sum, n) => sum + n, 0)).toBe(counted);
    }),
    { numRuns: NUM_RUNS },
  );
});

it('ends where the feed is, whatever was sent before the honest messages came through', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(attack, { maxLength: 20 }), async (messages) => {
      const knowledge = newKnowledge();
      for (const message of messages) await apply(knowledge, message).catch(() => undefined);
      knowledge.loseTrack();
      for (const message of honest.slice(-2).reverse()) await apply(knowledge, message);
      expect(idsIn(knowledge).size).toBe(ENTRIES);
      expect(knowledge.position?.seq).toBe(ENTRIES);
    }),
    { numRuns: NUM_RUNS },
  );
});
