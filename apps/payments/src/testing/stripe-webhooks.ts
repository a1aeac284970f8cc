import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';
import type { RunningPayments } from './running-payments.js';
import { STRIPE_KEY } from './stripe-emulation.js';

export const OLD_SECRET = 'whsec_before_the_rotation';
export const SECRET = 'whsec_after_the_rotation';

/** Variables of payments with Stripe, at `url`. */
export function stripeVariables(url: string): NodeJS.ProcessEnv {
  return {
    ...{ SIGNET_PAYMENT_PROVIDER: 'stripe', SIGNET_STRIPE_URL: url },
    ...{ SIGNET_STRIPE_API_KEY: STRIPE_KEY, SIGNET_SANDBOX_URL: '' },
    SIGNET_STRIPE_WEBHOOK_SECRETS: `${SECRET},${OLD_SECRET}`,
    // Longer than the SDK takes with its repetitions.
    SIGNET_RECONCILE_AFTER_MS: '3500',
  };
}

const { webhooks } = new Stripe(STRIPE_KEY);

/** Sends an event about `object` as Stripe would, signed. */
export function sendEvent(
  payments: RunningPayments,
  type: string,
  object: object,
  signed: { secret?: string; timestamp?: number } = {},
) {
  const event = { id: `evt_${randomUUID()}`, object: 'event', type, data: { object } };
  return sendSigned(payments, JSON.stringify(event), signed);
}

/** @param timestamp of the signature, in seconds; now by default */
export function sendSigned(
  { service }: RunningPayments,
  payload: string,
  { secret = SECRET, timestamp = Date.now() / 1000 }: { secret?: string; timestamp?: number } = {},
) {
  const header = webhooks.generateTestHeaderString({
    ...{ payload, secret, timestamp: Math.floor(timestamp) },
  });
  return service.app.inject({
    ...{ method: 'POST', url: '/webhooks/stripe', payload },
    headers: { 'content-type': 'application/json', 'stripe-signature': header },
  });
}
