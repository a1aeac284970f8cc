import { z } from 'zod';
import { RefusedError } from '../service-calls/call-errors.js';
import type { ServiceCall, ServiceClient } from '../service-calls/service-client.js';
import type { CheckoutOrder } from './checkout-order.js';
import type { Outcome } from './saga-outcomes.js';

/** A hold lives this long unless it is extended; one that is forgotten ends by itself. */
const HOLD_SECONDS = 900;

const reservation = z.object({ expiresAt: z.iso.datetime() });
const shortages = z.array(z.object({ sku: z.string(), requested: z.int(), available: z.int() }));

/** What the saga asks of inventory (scope `inventory:reserve`). */
export class ReservationsClient {
  constructor(private readonly service: ServiceClient) {}

  async reserve(order: CheckoutOrder): Promise<Outcome> {
    const items = order.items.map(({ sku, quantity }) => ({ sku, quantity }));
    return this.ask(order, async (call) => {
      const { expiresAt } = await this.service.call({
        ...{ ...call(''), method: 'PUT' },
        body: { items, expiresIn: HOLD_SECONDS },
        answer: reservation,
      });
      return { kind: 'held', until: Date.parse(expiresAt) };
    });
  }

  /** @param now is part of the key: each extension is another one */
  extend(order: CheckoutOrder, now: number): Promise<Outcome> {
    return this.ask(order, async (call) => {
      const { expiresAt } = await this.service.call({
        ...call('/extend'),
        idempotencyKey: `${order.id}:extend:${now}`,
        body: { expiresIn: HOLD_SECONDS },
        answer: reservation,
      });
      return { kind: 'held', until: Date.parse(expiresAt) };
    });
  }

  commit(order: CheckoutOrder): Promise<Outcome> {
    return this.ask(order, async (call) => {
      await this.service.call({ ...call('/commit'), answer: reservation });
      return { kind: 'committed' };
    });
  }

  release(order: CheckoutOrder): Promise<Outcome> {
    return this.ask(order, async (call) => {
      await this.service.call({ ...call(''), method: 'DELETE', answer: z.undefined() });
      return { kind: 'released' };
    });
  }

  return(order: CheckoutOrder): Promise<Outcome> {
    return this.ask(order, async (call) => {
      await this.service.call({ ...call('/return'), answer: reservation });
      return { kind: 'returned' };
    });
  }

  private async ask(
    { id, actor }: CheckoutOrder,
    perform: (call: (action: string) => Omit<ServiceCall<z.ZodType>, 'answer'>) => Promise<Outcome>,
  ): Promise<Outcome> {
    const call = (action: string) => ({
      method: 'POST' as const,
      path: `internal/reservations/${id}${action}`,
      idempotencyKey: `${id}:${action.slice(1)}`,
      onBehalfOf: actor,
    });
    try {
      return await perform(call);
    } catch (error) {
      if (error instanceof RefusedError) return refusal(error);
      throw error;
    }
  }
}

function refusal({ code, message, extensions }: RefusedError): Outcome {
  switch (code) {
    case 'insufficient_stock':
      return { kind: 'stock_refused', reason: shortOf(extensions.shortages) };
    case 'unknown_sku':
      return { kind: 'stock_refused', reason: message };
    case 'reservation_committed':
      return { kind: 'committed' };
    case 'reservation_expired':
      return { kind: 'hold_over' };
    case 'reservation_closed':
      return { kind: extensions.reservationStatus === 'committed' ? 'committed' : 'hold_over' };
    default:
      return { kind: 'refused', reason: `${code} ${message}` };
  }
}

function shortOf(said: unknown): string {
  const short = shortages.safeParse(said).data ?? [];
  const each = short.map(
    ({ sku, requested, available }) => `${sku} (${available} of ${requested})`,
  );
  return `not enough in stock: ${each.join(', ')}`;
}
