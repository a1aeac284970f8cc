import { BusyError, UnansweredError } from '../service-calls/call-errors.js';
import type { CheckoutOrder } from './checkout-order.js';
import type { PaymentsClient } from './payments.client.js';
import type { ReservationsClient } from './reservations.client.js';
import type { Outcome } from './saga-outcomes.js';
import type { Call, SagaState } from './saga-state.js';

/** Makes the saga's calls. Whatever happens to one is an outcome. */
export class CheckoutCalls {
  constructor(
    private readonly reservations: ReservationsClient,
    private readonly payments: PaymentsClient,
  ) {}

  async make(call: Call, order: CheckoutOrder, state: SagaState): Promise<Outcome> {
    try {
      return await this.ask(call, order, state);
    } catch (error) {
      if (error instanceof UnansweredError) return { kind: 'unanswered', reason: error.message };
      if (error instanceof BusyError) {
        return { kind: 'unanswered', reason: error.message, retryAfterMs: error.retryAfterMs };
      }
      throw error;
    }
  }

  private ask(call: Call, order: CheckoutOrder, state: SagaState): Promise<Outcome> {
    switch (call) {
      case 'reserve':
        return this.reservations.reserve(order);
      case 'extend':
        return this.reservations.extend(order, Date.now());
      case 'commit':
        return this.reservations.commit(order);
      case 'release':
        return this.reservations.release(order);
      case 'return':
        return this.reservations.return(order);
      case 'authorize':
        return this.payments.authorize(order, state.round);
      case 'look':
        return this.payments.look(order);
      case 'capture':
        return this.payments.capture(this.asked(order, state));
      case 'void':
        return this.payments.void(this.asked(order, state));
      case 'refund':
        return this.payments.refund(this.asked(order, state), state.reason ?? 'refunded');
    }
  }

  private asked(order: CheckoutOrder, { paymentId, round }: SagaState) {
    if (paymentId === null) throw new Error(`The payment of order ${order.id} has no id.`);
    return { order, paymentId, round };
  }
}
