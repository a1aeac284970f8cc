import { createTestIssuer } from '@signet/auth-guard/testing';
import { startTestService } from '@signet/database/testing';
import type { TestService } from '@signet/database/testing';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { paymentsConfig } from '../config.js';
import type { Payment, PaymentWithRefunds, Refund } from '../payments/payment.schema.js';
import { paymentsService } from '../payments-service.module.js';
import { API_KEY, WEBHOOK_SECRET } from './running-sandbox.js';

export const issuer = createTestIssuer({ audience: 'urn:signet:api' });
export const alice = issuer.token({ subject: 'alice', roles: ['customer'] });
export const support = issuer.token({ roles: ['support'] });
export const admin = issuer.token({ subject: 'root', roles: ['admin'] });
export const orders = issuer.serviceToken({
  clientId: 'orders',
  audience: 'urn:signet:payments',
  scopes: ['payments:charge'],
});

/** What answers have in them. Which of it is there depends on the route; a test knows. */
export interface Body extends Payment, PaymentWithRefunds {
  code: string;
  detail: string;
  items: Body[];
  nextCursor: string | null;
  paymentStatus: string;
}

export interface Answer<Shape = Body> {
  status: number;
  replayed: boolean;
  text: string;
  body: Shape;
}

export interface Call {
  token?: string;
  body?: unknown;
  /** A new one by default. */
  key?: string;
}

export interface RunningPayments {
  service: TestService;
  call(method: 'GET' | 'POST', path: string, call?: Call): Promise<Answer>;
  /** Authorizes 25.98 EUR of alice's with `tok_ok`, or what is said. */
  authorize(change?: object, call?: Call): Promise<Answer>;
  capture(id: string, amount?: number, key?: string): Promise<Answer>;
  void(id: string, key?: string): Promise<Answer>;
  refund(id: string, amount?: number, key?: string): Promise<Answer<Refund & { code: string }>>;
  read(id: string): Promise<Body>;
  /** Reads until the status is another than `processing`, or than the one that is given. */
  settled(id: string, not?: string): Promise<Body>;
  close(): Promise<void>;
}

export const euros = (amount: number) => ({ amount, currency: 'EUR' });

/** @param sandboxUrl where the provider is */
export async function startPayments(
  sandboxUrl: string,
  variables: NodeJS.ProcessEnv = {},
): Promise<RunningPayments> {
  const service = await startTestService(issuer, (environment) =>
    paymentsService(
      paymentsConfig({ ...environment, ...sandboxVariables(sandboxUrl), ...variables }),
    ),
  );
  const call: RunningPayments['call'] = async (
    method,
    path,
    { token = orders, body, key } = {},
  ) => {
    const answer = await (method === 'GET'
      ? service.get(path, token)
      : service.send(method, path, {
          token,
          body,
          ...(key !== undefined && { idempotencyKey: key }),
        }));
    return {
      status: answer.statusCode,
      replayed: answer.headers['idempotent-replayed'] === 'true',
      text: answer.body,
      body: answer.body ? answer.json<Body>() : ({} as Body),
    };
  };
  const part = (amount?: number) => (amount === undefined ? {} : { amount: euros(amount) });
  const read = async (id: string) => (await call('GET', `/internal/payments/${id}`)).body;
  return {
    service,
    call,
    authorize: (change, options) =>
      call('POST', '/internal/payments', { body: { ...newPayment(), ...change }, ...options }),
    capture: (id, amount, key) =>
      call('POST', `/internal/payments/${id}/capture`, { body: part(amount), ...keyed(key) }),
    void: (id, key) => call('POST', `/internal/payments/${id}/void`, keyed(key)),
    refund: async (id, amount, key) => {
      const body = { ...part(amount), reason: 'it broke' };
      const path = `/internal/payments/${id}/refunds`;
      return (await call('POST', path, { body, ...keyed(key) })) as unknown as Answer<
        Refund & { code: string }
      >;
    },
    read,
    async settled(id, not = 'processing') {
      for (;;) {
        const payment = await read(id);
        if (payment.status !== not) return payment;
        await sleep(50);
      }
    },
    close: () => service.close(),
  };
}

export function newPayment() {
  return {
    orderId: randomUUID(),
    customerId: 'alice',
    amount: euros(2598),
    paymentMethod: 'tok_ok',
  };
}

export function sandboxVariables(url: string): NodeJS.ProcessEnv {
  return {
    SIGNET_PAYMENT_PROVIDER: 'sandbox',
    SIGNET_SANDBOX_URL: url,
    SIGNET_SANDBOX_API_KEY: API_KEY,
    SIGNET_SANDBOX_WEBHOOK_SECRETS: WEBHOOK_SECRET,
    SIGNET_PROVIDER_DEADLINE_MS: '500',
    SIGNET_RECONCILE_AFTER_MS: '800',
  };
}

function keyed(key: string | undefined): Call {
  return key === undefined ? {} : { key };
}
