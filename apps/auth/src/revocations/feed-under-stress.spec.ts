import { keySource, RevocationFollower } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ISSUER, startAuth } from '../testing/running-auth.js';
import type { RunningAuth } from '../testing/running-auth.js';
import { UnitOfWork } from '../oidc/unit-of-work.js';
import { FeedSigner } from './feed-signer.js';
import { RevocationLog } from './revocation-log.js';

let auth: RunningAuth;
let follower: RevocationFollower;

beforeAll(async () => {
  auth = await startAuth();
  const keys = keySource({ jwksUri: `${auth.url}/.well-known/jwks.json` }, { issuer: ISSUER });
  await keys.start?.();
  const feed = { url: `${auth.url}/revocations` };
  follower = new RevocationFollower(feed, { issuer: ISSUER, keys });
  await follower.start();
});

afterAll(() => follower.close());

const newIds = (count: number) => Array.from({ length: count }, () => randomUUID());

const isKnown = (id: string) =>
  follower.isRevoked({ sessionId: id, clientId: '', issuedAt: 0 } as Principal);

async function revoke(ids: string[]): Promise<void> {
  const log = auth.app.get(RevocationLog, { strict: false });
  await auth.app.get(UnitOfWork, { strict: false }).write(async (transaction) => {
    await log.record(transaction, {
      ...{ kind: 'session', ids, cause: 'revoked', actor: null, concerns: 'all' },
    });
  });
}

async function untilKnown(ids: string[]): Promise<void> {
  while (!ids.every(isKnown)) await sleep(10);
}

describe('when the database goes back while auth runs, as to a standby that had not heard of all', () => {
  const goBack = `with gone as (delete from revocations where seq > $1)
    update revocation_feed set seq = $1, chain = (select chain from revocations where seq = $1)`;

  it('followers learn what is revoked under numbers that had been given before', async () => {
    const before = newIds(10);
    await revoke(before);
    await untilKnown(before);
    await auth.query(goBack, [7]);
    const after = newIds(1);
    await revoke(after);
    await untilKnown(after);
    expect(before.every(isKnown)).toBe(true);
    expect(follower.status.rewinds).toBe(1);
  });

  it('they do so too when the numbers have been passed again before anybody looked', async () => {
    const before = newIds(3);
    await revoke(before);
    await untilKnown(before);
    const after = newIds(9);
    await auth.query(
      `with gone as (delete from revocations where seq > 5),
        back as (update revocation_feed
          set seq = 5, chain = (select chain from revocations where seq = 5))
       insert into revocations (kind, subject, until, cause, txn)
       select 'session', unnest($1::text[]), extract(epoch from now()) + 600, 'revoked',
         gen_random_uuid()`,
      [after],
    );
    await untilKnown(after);
    expect(before.every(isKnown)).toBe(true);
  });
});

describe('when a replica freezes while it signs what it is about to publish', () => {
  it('holds nothing that others wait for, who publish it', async () => {
    const other = await startAuth({ database: auth.database });
    const frozen = Promise.withResolvers<string>();
    const sign = jest
      .spyOn(other.app.get(FeedSigner, { strict: false }), 'sign')
      .mockReturnValue(frozen.promise);
    const ids: string[] = [];
    while (sign.mock.calls.length === 0) {
      const more = newIds(1);
      ids.push(...more);
      await revoke(more);
      await sleep(20);
    }
    const held = await auth.query(
      `select state, query from pg_stat_activity
       where datname = current_database() and application_name = 'auth revocations'
         and state like 'idle in transaction%'`,
    );
    expect(held).toEqual([]);
    await untilKnown(ids);
    frozen.reject(new Error('killed'));
    await other.stop();
  });
});

describe('when thousands of sessions end at once', () => {
  it('followers hear of all of them, and of what comes next', async () => {
    const many = newIds(3_000);
    await revoke(many);
    const next = newIds(1);
    await revoke(next);
    await untilKnown([...many, ...next]);
  });

  it('a follower that has missed them is sent to the snapshot instead of all the events', async () => {
    const ask = (seq: number) => {
      const headers = { 'last-event-id': String(seq) };
      return fetch(`${auth.url}/revocations/stream`, { headers });
    };
    const { seq = 0 } = follower.status;
    expect((await ask(seq - 1_000)).status).toBe(410);
    const stream = await ask(seq - 100);
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
  });
});
