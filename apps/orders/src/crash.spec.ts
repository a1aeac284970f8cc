import { TestRevocationFeed } from '@signet/auth-guard/testing';
import { createTestDatabase, serviceProcess } from '@signet/database/testing';
import type { ServiceProcess, TestDatabase } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { StandInServices } from './testing/stand-in-services.js';
import type { Fate } from './testing/stand-in-services.js';
import { alice, issuer, surroundings, until } from './testing/shop.js';

/** reserve, authorize, commit, capture; what is undone has its calls too. */
const CALLS = [1, 2, 3, 4];

describe('orders, killed in the middle of a checkout', () => {
  let database: TestDatabase;
  let jwks: Awaited<ReturnType<typeof issuer.serve>>;
  let revocations: TestRevocationFeed;
  let others: StandInServices;
  let orders: ServiceProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    jwks = await issuer.serve();
    revocations = new TestRevocationFeed(issuer);
    others = new StandInServices();
    await others.start();
    orders = await serviceProcess(join(__dirname, 'main.ts'), {
      ...surroundings(others),
      DATABASE_URL: database.url,
      SIGNET_ISSUER: issuer.issuer,
      SIGNET_JWKS_URI: jwks.jwksUri,
      SIGNET_REVOCATIONS_URL: await revocations.serve(),
      LOG_LEVEL: 'silent',
    });
    await orders.start();
  }, 60_000);

  afterAll(async () => {
    await orders.kill();
    others.stop();
    await revocations.close();
    await jwks.close();
    await database.drop();
  });

  /** Kills it at that call to another service, which has `fate`. */
  function killAt(call: number, fate: Fate): Promise<void> {
    return new Promise((resolve) => {
      let seen = 0;
      others.fateOf = ({ path }) => {
        if (!path.startsWith('/internal') || ++seen !== call) return undefined;
        others.fateOf = () => undefined;
        void orders.kill().then(resolve);
        return fate;
      };
    });
  }

  async function place(paymentMethod: string, key: string): Promise<string> {
    const response = await fetch(`${orders.url}/orders`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${alice}`,
        'content-type': 'application/json',
        'idempotency-key': key,
      },
      body: JSON.stringify({ items: [{ sku: 'MUG', quantity: 2 }], paymentMethod }),
    });
    const { id } = (await response.json()) as { id: string };
    return id;
  }

  /** Places an order, and once more when it was killed before it could say which. */
  async function placeAnd(killed: Promise<void>, paymentMethod: string): Promise<string> {
    const key = randomUUID();
    const placed = await place(paymentMethod, key).catch(() => undefined);
    await killed;
    await orders.start();
    return placed ?? place(paymentMethod, key);
  }

  async function statusOf(id: string): Promise<string> {
    const headers = { authorization: `Bearer ${alice}` };
    const response = await fetch(`${orders.url}/orders/${id}`, { headers });
    return ((await response.json()) as { status: string }).status;
  }

  it.each(CALLS.flatMap((call) => [[call, 'lost'] as const, [call, 'answer_lost'] as const]))(
    'goes on after its restart, and charges once: at call %i, which is %s',
    async (call, fate) => {
      const id = await placeAnd(killAt(call, fate), 'tok_ok');
      await until(async () => (await statusOf(id)) === 'confirmed');
      expect(others.payments.byOrder.get(id)).toMatchObject({ captured: 2598, refunded: 0 });
      expect(others.reservations.byOrder.get(id)).toBe('committed');
    },
    60_000,
  );

  it.each([2, 3])(
    'also undoes what it has begun to undo: at call %i of a declined order',
    async (call) => {
      const id = await placeAnd(killAt(call, 'answer_lost'), 'tok_declined');
      await until(async () => (await statusOf(id)) === 'rejected');
      expect(others.reservations.byOrder.get(id)).toBe('released');
    },
    60_000,
  );
});
