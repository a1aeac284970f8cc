import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { TestInventory } from '../testing/inventory-service.js';
import { ReservationSweeper } from './reservation-sweeper.js';

const SKUS = ['A', 'B', 'C'] as const;
const START = 8;

interface Step {
  kind: string;
  order?: number;
  items?: Record<string, number>;
  sku?: string;
  delta?: number;
}

const order = fc.nat({ max: 3 });
const quantities = fc.dictionary(fc.constantFrom(...SKUS), fc.integer({ min: 1, max: 5 }), {
  minKeys: 1,
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('hold'), order, items: quantities }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('extend', 'commit', 'return', 'release', 'lapse'),
      order,
    }),
  },
  fc.record({ kind: fc.constant('sweep') }),
  fc.record({
    kind: fc.constant('adjust'),
    sku: fc.constantFrom(...SKUS),
    delta: fc.integer({ min: -4, max: 4 }).filter((delta) => delta !== 0),
  }),
);

/** Steps of one group happen at once. */
const history = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 10,
});

describe('stock', () => {
  let inventory: TestInventory;

  beforeAll(async () => {
    inventory = await TestInventory.start();
  });

  afterAll(() => inventory.close());

  it('is conserved by any interleaving of what orders and the warehouse do', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (groups) => {
        await inventory.empty();
        for (const sku of SKUS) await inventory.stocked(sku, START);
        const orders = Array.from({ length: 4 }, () => randomUUID());
        const counted = Object.fromEntries(SKUS.map((sku) => [sku, START]));
        for (const group of groups) {
          const answers = await Promise.all(group.map((each) => take(each, orders)));
          expect(answers.filter((status) => ![200, 204, 404, 409].includes(status))).toEqual([]);
          group.forEach(({ sku = '', delta = 0 }, index) => {
            if (answers[index] === 200 && sku in counted) {
              counted[sku] = (counted[sku] ?? 0) + delta;
            }
          });
          expect(await inventory.unbalanced()).toEqual([]);
        }
        const sold = await soldUnits();
        for (const sku of SKUS) {
          expect((await inventory.level(sku)).onHand).toBe((counted[sku] ?? 0) - (sold[sku] ?? 0));
        }
      }),
      { numRuns: 30 },
    );
  }, 120_000);

  async function take(
    { kind, order: index = 0, items = {}, sku = '', delta = 0 }: Step,
    orders: string[],
  ): Promise<number> {
    const id = orders[index] ?? '';
    const status = async (answer: Promise<{ statusCode: number }>) => (await answer).statusCode;
    if (kind === 'hold') return status(inventory.hold(id, items));
    if (kind === 'adjust') return status(inventory.adjust(sku, delta));
    if (kind === 'release') return status(inventory.release(id));
    if (kind === 'extend') return status(inventory.act(id, kind, { expiresIn: 60 }));
    if (kind === 'commit' || kind === 'return') return status(inventory.act(id, kind));
    if (kind === 'lapse') await inventory.lapse(id);
    else await inventory.service.app.get(ReservationSweeper).sweep();
    return 204;
  }

  /** What orders keep, by SKU. */
  async function soldUnits(): Promise<Record<string, number>> {
    const { rows } = await inventory.database.query<{ sku: string; units: string }>(
      `select sku, sum(quantity) as units from reservation_lines join reservations using (order_id)
       where status = 'committed' group by sku`,
    );
    return Object.fromEntries(rows.map(({ sku, units }) => [sku, Number(units)]));
  }
});
