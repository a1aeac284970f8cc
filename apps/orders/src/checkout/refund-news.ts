import { PAID_BACK, redirected, refundFailed, resumed } from './saga-outcomes.js';
import type { PaymentNews } from './saga-outcomes.js';
import type { SagaState } from './saga-state.js';

/**
 * What the payment's refunds, as they are now, mean for a checkout that does nothing by itself: one that
 * has ended, has stopped, or waits for them. The same state when they mean nothing.
 */
export function afterRefundNews(state: SagaState, news: PaymentNews, now: number): SagaState {
  if (news.isRefunding) return state;
  if (state.done) return ended(state, news, now);
  // The refunds that it waited for are over: it looks what has become of them.
  if (state.money === 'repaying') return resumed(state, now);
  return state.halted === null ? state : stopped(state, news, now);
}

/** Whether refunds can mean something for it, though it has not ended. */
export function awaitsRefunds({ halted, money }: SagaState): boolean {
  return halted !== null || money === 'repaying';
}

function ended(
  state: SagaState,
  { isRefunded, refundFailure }: PaymentNews,
  now: number,
): SagaState {
  if (state.money === 'captured' && isRefunded) return paidBack(state, now);
  if (state.money === 'refunded' && !isRefunded) {
    return refundFailed({ ...state, done: false, tries: 0, since: now }, refundFailure);
  }
  return state;
}

/** Somebody else gave the money back, whatever the checkout had last heard of it: nothing keeps it any more. */
function stopped(state: SagaState, { isRefunded }: PaymentNews, now: number): SagaState {
  const isKnown = state.money === 'refunded' || state.money === 'settled';
  return isRefunded && !isKnown ? paidBack(state, now) : state;
}

function paidBack(state: SagaState, now: number): SagaState {
  const { goal, reason } =
    state.goal === 'confirmed' ? { goal: 'refunded' as const, reason: PAID_BACK } : state;
  return { ...redirected(state, goal, reason ?? PAID_BACK, now), money: 'repaying' };
}
