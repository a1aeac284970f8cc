import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { admin, euros, startPayments } from '../testing/running-payments.js';
import type { RunningPayments } from '../testing/running-payments.js';
import { startStripe } from '../testing/stripe-emulation.js';
import type { StripeEmulation } from '../testing/stripe-emulation.js';
import { sendEvent, stripeVariables } from '../testing/stripe-webhooks.js';

let stripe: StripeEmulation;
let payments: RunningPayments;

beforeAll(async () => {
  stripe = await startStripe();
  payments = await startPayments('', stripeVariables(stripe.url));
});
afterAll(async () => {
  await payments.close();
  await stripe.close();
});

const authorized = async () =>
  (await payments.authorize({ paymentMethod: 'pm_card_visa' })).body.id;

async function captured(amount?: number): Promise<string> {
  const id = await authorized();
  await payments.capture(id, amount);
  return id;
}

/** A refund as Stripe tells of it that nobody asked for here: without our ids. */
function refundOf(id: string, amount: number) {
  const intents = [...stripe.intents.values()];
  const intent = intents.find(({ metadata }) => JSON.stringify(metadata).includes(id));
  return {
    ...{ id: `re_${randomUUID()}`, object: 'refund', status: 'succeeded', amount },
    ...{ currency: 'eur', payment_intent: intent?.id, charge: 'ch_1', metadata: {} },
    ...{ reason: 'requested_by_customer', balance_transaction: 'txn_1' },
  };
}

const tell = (type: string, object: object) => sendEvent(payments, type, object);

describe('a refund made on Stripe’s own pages', () => {
  it('shows in the payment and in the audit log, and is told to orders', async () => {
    const since = new Date().toISOString();
    const id = await captured();
    const refund = refundOf(id, 598);
    expect((await tell('refund.created', refund)).statusCode).toBe(204);
    const payment = await payments.read(id);
    expect(payment).toMatchObject({ status: 'succeeded', refundedAmount: euros(598) });
    expect(payment.refunds).toMatchObject([
      { amount: euros(598), status: 'succeeded', reason: 'made at the payment provider' },
    ]);
    const changes = `/internal/payments/refund-changes?since=${since}`;
    expect((await payments.call('GET', changes)).body.items).toMatchObject([{ id }]);
    const audit = `/admin/audit?subject=${id}`;
    expect((await payments.call('GET', audit, { token: admin })).body.items).toMatchObject([
      { action: 'refund.found', actor: null, details: { amount: 598, providerRefund: refund.id } },
    ]);
  });

  it('is one refund, however often and in whatever order Stripe tells of it', async () => {
    const id = await captured();
    const refund = refundOf(id, 2598);
    await tell('refund.created', { ...refund, status: 'pending' });
    expect(await payments.read(id)).toMatchObject({
      ...{ refundedAmount: euros(0), refunds: [{ status: 'pending' }] },
    });
    for (const type of ['refund.updated', 'charge.refund.updated', 'refund.created']) {
      expect((await tell(type, refund)).statusCode).toBe(204);
    }
    expect(await payments.read(id)).toMatchObject({
      ...{ refundedAmount: euros(2598), refunds: [{ status: 'succeeded' }] },
    });
    await tell('refund.failed', { ...refund, status: 'failed', failure_reason: 'declined' });
    expect(await payments.read(id)).toMatchObject({
      ...{ refundedAmount: euros(0), refunds: [{ status: 'failed', failure: 'declined' }] },
    });
  });

  it('leaves that much less to be refunded here', async () => {
    const id = await captured();
    await tell('refund.created', refundOf(id, 2000));
    expect((await payments.refund(id, 599)).body).toMatchObject({
      ...{ code: 'refund_exceeds_captured', refundable: euros(598) },
    });
    expect((await payments.refund(id)).body).toMatchObject({ amount: euros(598) });
  });

  it('that took what is asked for here is taken as soon as Stripe has refused ours', async () => {
    const id = await captured();
    const refund = refundOf(id, 2598);
    const [intent] = [...stripe.intents.values()].slice(-1);
    Object.assign(intent ?? {}, { amount_received: 0 });
    stripe.faults.push('dropped', 'dropped', 'dropped');
    expect((await payments.refund(id, 98)).body.status).toBe('pending');
    expect((await tell('refund.created', refund)).json()).toMatchObject({
      ...{ status: 409, code: 'webhook_too_early' },
    });
    while ((await payments.read(id)).refunds[0]?.status === 'pending') await sleep(100);
    expect((await tell('refund.created', refund)).statusCode).toBe(204);
    expect((await payments.read(id)).refundedAmount).toEqual(euros(2598));
  }, 20_000);

  it('is waited with until the capture is known', async () => {
    const id = await authorized();
    const refund = refundOf(id, 2598);
    expect((await tell('refund.created', refund)).statusCode).toBe(409);
    await payments.capture(id);
    expect((await tell('refund.created', refund)).statusCode).toBe(204);
    expect((await payments.read(id)).refundedAmount).toEqual(euros(2598));
  });
});

describe('what Stripe tells of as a refund, and was never taken', () => {
  it('is none when the payment was voided', async () => {
    const id = await authorized();
    await payments.void(id);
    expect((await tell('refund.created', refundOf(id, 2598))).statusCode).toBe(204);
    expect(await payments.read(id)).toMatchObject({ status: 'canceled', refunds: [] });
  });

  it('is none when it is what a capture in part has left', async () => {
    const id = await captured(2000);
    expect((await tell('refund.created', refundOf(id, 598))).statusCode).toBe(204);
    expect(await payments.read(id)).toMatchObject({ refundedAmount: euros(0), refunds: [] });
  });

  it('is none when it is more than there is, or of a payment of somebody else', async () => {
    const id = await captured();
    expect((await tell('refund.created', refundOf(id, 2599))).statusCode).toBe(204);
    const other = { ...refundOf(id, 10), payment_intent: 'pi_of_another_shop' };
    expect((await tell('refund.created', other)).statusCode).toBe(204);
    expect((await payments.read(id)).refunds).toEqual([]);
  });
});
