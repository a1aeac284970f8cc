import type { System } from '@signet/launcher';
import { randomUUID } from 'node:crypto';

/** Where the set-up leaves the `World` for the journeys. */
export const SYSTEM_VARIABLE = 'SIGNET_E2E_SYSTEM';

/** Whether the journeys were pointed at a system that somebody else has started. */
export const isElsewhere = process.env.SIGNET_E2E_AUTH_URL !== undefined;

export const SERVICES = ['auth', 'orders', 'payments', 'inventory'] as const;
export const ROLES = ['admin', 'warehouse', 'support', 'customer'] as const;

export type Service = (typeof SERVICES)[number];
export type Role = (typeof ROLES)[number];

/** The system under test, as anybody outside knows it. */
export interface World {
  urls: Record<Service, string>;
  /** Of the demo account of each role. */
  passwords: Record<Role, string>;
  /** Of the confidential client `orders`. */
  ordersClientSecret: string;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // The journeys look at bodies with Jest's matchers, which take anything.
  body: Record<string, unknown>;
}

export interface Call {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  token_type: string;
  expires_in: number;
}

/** A person with curl. */
export class Client {
  constructor(private readonly world: World) {}

  /** `GET /orders` of orders is `call('orders', 'GET /orders')`. POSTs get an Idempotency-Key. */
  async call(service: Service, route: string, { token, body, headers }: Call = {}) {
    const [method = 'GET', path = '/'] = route.split(' ');
    const response = await fetch(this.world.urls[service] + path, {
      method,
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return answerOf(response);
  }

  async logIn(email: string, password: string): Promise<Tokens> {
    const answer = await this.call('auth', 'POST /auth/login', { body: { email, password } });
    if (answer.status !== 200)
      throw new Error(`login of ${email}: ${answer.status} ${answer.text}`);
    return answer.body as unknown as Tokens;
  }

  /** Logs in as the demo account of a role. */
  async tokenOf(role: Role): Promise<string> {
    const tokens = await this.logIn(`${role}@signet.test`, this.world.passwords[role]);
    return tokens.access_token;
  }

  /** Opens a new account, which is a customer's. */
  async register(): Promise<Tokens & { email: string; password: string }> {
    const account = { email: `${randomUUID()}@example.com`, password: randomUUID() };
    const answer = await this.call('auth', 'POST /auth/register', { body: account });
    if (answer.status !== 201) throw new Error(`registration: ${answer.status} ${answer.text}`);
    return { ...account, ...(answer.body as unknown as Tokens) };
  }

  /** A new product that costs 12.99 EUR, of which there is plenty unless said otherwise. */
  async newProduct(units = 1000): Promise<string> {
    const token = await this.tokenOf('warehouse');
    const sku = randomUUID().toUpperCase();
    const price = { amount: 1299, currency: 'EUR' };
    const body = { sku, name: 'Stoneware mug', price };
    const created = await this.call('inventory', 'POST /products', { token, body });
    const stocked = await this.call('inventory', `POST /products/${sku}/stock`, {
      token,
      body: { delta: units, reason: 'delivery' },
    });
    if (created.status === 201 && stocked.status === 200) return sku;
    throw new Error(`a new product: ${created.text} ${stocked.text}`);
  }

  /** A token of the service `orders` for another service, by the client credentials grant. */
  async serviceToken(resource: string, scope: string): Promise<string> {
    const credentials = Buffer.from(`orders:${this.world.ordersClientSecret}`).toString('base64');
    const response = await fetch(`${this.world.urls.auth}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${credentials}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource, scope }),
    });
    const answer = await answerOf(response);
    if (answer.status !== 200) throw new Error(`client credentials: ${answer.text}`);
    return answer.body.access_token as string;
  }
}

/** What the launcher knows of a system, seen from outside. */
export function worldOf({ services, accounts, ordersClientSecret }: System): World {
  const url = (service: Service) => [service, services[service].url];
  const password = (role: Role) => [
    role,
    accounts.find((account) => account.role === role)?.password,
  ];
  return {
    urls: Object.fromEntries(SERVICES.map(url)) as World['urls'],
    passwords: Object.fromEntries(ROLES.map(password)) as World['passwords'],
    ordersClientSecret,
  };
}

/** Whoever asks a system of one's own, or, where `urls` says so, replicas of its services. */
export function clientOf(system: System, urls: Partial<World['urls']> = {}): Client {
  const world = worldOf(system);
  return new Client({ ...world, urls: { ...world.urls, ...urls } });
}

/** The system that the set-up started or was pointed at. */
export function world(): World {
  const text = process.env[SYSTEM_VARIABLE];
  if (!text) throw new Error('The journeys run through `nx e2e e2e`, which starts the system.');
  return JSON.parse(text) as World;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
  const body = isJson ? (JSON.parse(text) as Answer['body']) : {};
  return { status: response.status, headers: response.headers, text, body };
}
