import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Client, Service } from '../system/world.ts';

/** How long a shopper goes on trying, with services dying and coming back meanwhile. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 250;

export interface Placed {
  key: string;
  body: unknown;
  token: string;
  answer: Answer;
}

/**
 * A client as the API asks for one: what has no answer, or a 5xx, is sent again with the same
 * Idempotency-Key until there is one.
 */
export class Shopper {
  constructor(private readonly client: Client) {}

  async post(service: Service, path: string, body: unknown, token: string): Promise<Placed> {
    const key = randomUUID();
    return { key, body, token, answer: await this.again(service, path, { key, body, token }) };
  }

  /** Sends a request under the key that it had. */
  again(
    service: Service,
    path: string,
    { key, body, token }: Pick<Placed, 'key' | 'body' | 'token'>,
  ): Promise<Answer> {
    return this.persist(() =>
      this.client.call(service, `POST ${path}`, {
        token,
        body,
        headers: { 'idempotency-key': key },
      }),
    );
  }

  read(service: Service, path: string, token?: string): Promise<Answer> {
    return this.persist(() => this.client.call(service, `GET ${path}`, { token }));
  }

  /** Every page of a list. */
  async list(service: Service, path: string, token: string): Promise<Record<string, unknown>[]> {
    const items: Record<string, unknown>[] = [];
    let cursor = '';
    do {
      const page = await this.read(service, `${path}?limit=100${cursor}`, token);
      if (page.status !== 200) throw new Error(`GET ${path}: ${page.status} ${page.text}`);
      items.push(...(page.body.items as Record<string, unknown>[]));
      const next = page.body.nextCursor;
      cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
    } while (cursor);
    return items;
  }

  private async persist(ask: () => Promise<Answer>): Promise<Answer> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const { answer, problem } = await attempt(ask);
      if (answer) return answer;
      if (Date.now() > deadline) throw new Error(`${PATIENCE_MS / 1000} s of trying: ${problem}`);
      await sleep(PAUSE_MS);
    }
  }
}

async function attempt(ask: () => Promise<Answer>): Promise<{ answer?: Answer; problem: string }> {
  try {
    const answer = await ask();
    const problem = `${answer.status} ${answer.text}`;
    return isTransient(answer) ? { problem } : { answer, problem };
  } catch (error) {
    return { problem: String(error) };
  }
}

function isTransient({ status, body }: Answer): boolean {
  return status >= 500 || status === 429 || body.code === 'idempotency_key_in_use';
}
