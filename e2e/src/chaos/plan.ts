import fc from 'fast-check';

const PAYMENT_METHODS = [
  'tok_ok',
  'tok_declined',
  'tok_timeout',
  'tok_slow',
  'tok_requires_review',
] as const;
const VICTIMS = ['auth', 'orders', 'payments', 'inventory', 'sandbox'] as const;

type PaymentMethod = (typeof PAYMENT_METHODS)[number];
type Victim = (typeof VICTIMS)[number];

/** One customer's attempt to buy something, and what they do next. */
export interface Checkout {
  customer: number;
  lines: { product: number; quantity: number }[];
  paymentMethod: PaymentMethod;
  /** What happens once the order is placed; most often nothing. */
  then: 'nothing' | 'cancel' | 'refund';
}

interface Kill {
  victim: Victim;
  /** How long everybody is left in peace before it. */
  afterMs: number;
  /** How long the victim stays dead. */
  downMs: number;
}

export interface Plan {
  checkouts: Checkout[];
  kills: Kill[];
}

export interface PlanSize {
  checkouts: number;
  kills: number;
  customers: number;
  products: number;
}

/** Everything that happens in a run, drawn from a seed: the same seed, the same plan. */
export function planOf(seed: number, size: PlanSize): Plan {
  const [plan] = fc.sample(planWith(size), { seed, numRuns: 1 });
  if (!plan) throw new Error('fast-check drew no plan.');
  return plan;
}

function planWith({ checkouts, kills, customers, products }: PlanSize): fc.Arbitrary<Plan> {
  const line = fc.record({
    product: fc.nat(products - 1),
    quantity: fc.integer({ min: 1, max: 3 }),
  });
  const checkout = fc.record<Checkout>({
    customer: fc.nat(customers - 1),
    lines: fc.uniqueArray(line, { minLength: 1, maxLength: 3, selector: ({ product }) => product }),
    paymentMethod: fc.oneof(
      { weight: 4, arbitrary: fc.constant<PaymentMethod>('tok_ok') },
      { weight: 4, arbitrary: fc.constantFrom(...PAYMENT_METHODS) },
    ),
    then: fc.oneof(
      { weight: 8, arbitrary: fc.constant<Checkout['then']>('nothing') },
      { weight: 1, arbitrary: fc.constant<Checkout['then']>('cancel') },
      { weight: 1, arbitrary: fc.constant<Checkout['then']>('refund') },
    ),
  });
  const kill = fc.record<Kill>({
    victim: fc.constantFrom(...VICTIMS),
    afterMs: fc.integer({ min: 200, max: 2_500 }),
    downMs: fc.integer({ min: 0, max: 1_500 }),
  });
  return fc.record({
    checkouts: fc.array(checkout, { minLength: checkouts, maxLength: checkouts }),
    kills: fc.array(kill, { minLength: kills, maxLength: kills }),
  });
}
