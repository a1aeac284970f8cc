import type { Answer, Client } from './world.ts';

/** A route of each service that any user's token gets past the guard of, though it may end behind it. */
export const GUARDED = {
  orders: 'GET /orders',
  payments: 'GET /payments/00000000-0000-4000-8000-000000000000',
  inventory: 'GET /products/NONE/movements',
} as const;

export type GuardedService = keyof typeof GUARDED;
export const GUARDED_SERVICES = Object.keys(GUARDED) as GuardedService[];

/** What the three services answer to one token, asked at once. */
export function answersOf(client: Client, token: string): Promise<Answer[]> {
  return Promise.all(
    GUARDED_SERVICES.map((service) => client.call(service, GUARDED[service], { token })),
  );
}

export function isRefused({ status, body }: Answer): boolean {
  return status === 401 && body.code === 'token_revoked';
}

/** Moves goods, so it asks for fresh knowledge of revocations. 404 once it is past the guard. */
export function ship(client: Client, token: string): Promise<Answer> {
  const route = 'POST /admin/orders/00000000-0000-4000-8000-000000000000/ship';
  return client.call('orders', route, { token });
}
