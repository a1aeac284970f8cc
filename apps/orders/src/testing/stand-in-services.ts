import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { StandInPayments } from './stand-in-payments.js';
import { StandInReservations } from './stand-in-reservations.js';

export interface Answer {
  status: number;
  body?: unknown;
}

export interface ReceivedCall {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: unknown;
}

/**
 * What befalls a call: nobody hears of it, or of what came of it, or nobody says a thing; or another
 * one with its key is being answered still.
 */
export type Fate = 'lost' | 'answer_lost' | 'never' | 'in_use' | undefined;

/** Seconds that whose key is in use is asked to wait. */
export const IN_USE_SECONDS = 2;

const IN_USE: Answer = { status: 409, body: { code: 'idempotency_key_in_use', detail: 'wait' } };

const CATALOGUE = [
  { sku: 'MUG', name: 'Mug', price: { amount: 1299, currency: 'EUR' } },
  { sku: 'TEA', name: 'Tea', price: { amount: 450, currency: 'EUR' } },
  { sku: 'CAR', name: 'Car', price: { amount: 1_000_000_000, currency: 'EUR' } },
  { sku: 'HAT', name: 'Hat', price: { amount: 2000, currency: 'USD' } },
  { sku: 'GIFT', name: 'Gift', price: { amount: 0, currency: 'EUR' } },
];

/** Auth's token endpoint, inventory and payments behind one address, as their contracts have them. */
export class StandInServices {
  readonly reservations = new StandInReservations();
  readonly payments = new StandInPayments();
  readonly calls: ReceivedCall[] = [];
  /** How often a token was asked for. */
  tokens = 0;
  /** Tokens given out before are not accepted any more. */
  refused = new Set<string>();
  fateOf: (call: ReceivedCall) => Fate = () => undefined;

  private readonly server = createServer((request, response) => {
    void this.handle(request, response);
  });

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const { method = '', url: path = '', headers } = request;
    const isJson = headers['content-type'] === 'application/json';
    const call = { method, path, headers, body: isJson ? (JSON.parse(text) as unknown) : text };
    this.calls.push(call);
    const fate = this.fateOf(call);
    if (fate === 'never') return;
    if (fate === 'lost') return void request.socket.destroy();
    const { status, body } = fate === 'in_use' ? IN_USE : this.answer(call);
    if (fate === 'answer_lost') return void request.socket.destroy();
    response.writeHead(status, {
      'content-type': 'application/json',
      ...(fate === 'in_use' && { 'retry-after': String(IN_USE_SECONDS) }),
    });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }

  private answer(call: ReceivedCall): Answer {
    const { pathname, searchParams } = new URL(call.path, this.url);
    if (pathname === '/oauth/token') return this.token(call);
    if (pathname === '/products') {
      const skus = searchParams.getAll('sku');
      const items = CATALOGUE.filter(({ sku }) => skus.includes(sku));
      return { status: 200, body: { items, nextCursor: null } };
    }
    const token = call.headers.authorization?.replace('Bearer ', '') ?? '';
    const [, , kind = '', id = '', action = ''] = pathname.split('/');
    const audience = kind === 'reservations' ? 'urn:signet:inventory' : 'urn:signet:payments';
    if (!token.startsWith(audience) || this.refused.has(token)) {
      return { status: 401, body: { code: 'token_revoked' } };
    }
    return kind === 'reservations'
      ? this.reservations.answer(call, id, action)
      : this.payments.answer(call, id || (searchParams.get('orderId') ?? ''), action);
  }

  private token({ body }: ReceivedCall): Answer {
    this.tokens += 1;
    const form = new URLSearchParams(String(body));
    const access_token = `${form.get('resource') ?? ''} ${randomUUID()}`.replace(' ', '/');
    const { scope = '' } = Object.fromEntries(form);
    return { status: 200, body: { access_token, token_type: 'Bearer', expires_in: 600, scope } };
  }
}
