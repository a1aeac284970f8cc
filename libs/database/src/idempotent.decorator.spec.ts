import { Controller, Post } from '@nestjs/common';
import { Authenticated } from '@signet/auth-guard';
import { createTestIssuer } from '@signet/auth-guard/testing';
import { Returns, Versioned } from '@signet/http';
import { z } from 'zod';
import { IdempotencyService } from './idempotency.service.js';
import type { IdempotentAnswer, IdempotentRequest } from './idempotency.service.js';
import { IdempotencyKey, Idempotent } from './idempotent.decorator.js';
import type { TestService } from './testing/index.js';
import { startServiceOf } from './testing/service-of.js';

const thing = z.object({ made: z.int() });

@Controller('things')
@Authenticated()
class ThingsController {
  private made = 0;

  constructor(private readonly idempotency: IdempotencyService) {}

  @Post(['', ':id/copies/:colour'])
  @Idempotent()
  @Versioned()
  @Returns(201, thing)
  make(@IdempotencyKey(201) request: IdempotentRequest): Promise<IdempotentAnswer> {
    return this.idempotency.run(request, () => {
      this.made++;
      return Promise.resolve({ version: this.made, body: { made: this.made, secret: 's' } });
    });
  }
}

const issuer = createTestIssuer({ audience: 'urn:signet:api' });
let service: TestService;

beforeAll(async () => {
  const tables = `create table idempotency_keys (
    scope text, key text, fingerprint text not null, status int not null, body jsonb,
    created_at timestamptz not null default now(), primary key (scope, key))`;
  service = await startServiceOf(issuer, tables, { controllers: [ThingsController] });
});

afterAll(() => service.close());

const make = (idempotencyKey: string | null, token = issuer.token({ subject: 'user-1' })) =>
  service.send('POST', '/things', { token, idempotencyKey });

describe('a route that takes effect once', () => {
  it('answers a repetition as it did the first time, with the same entity tag', async () => {
    const [first, again] = [await make('k1'), await make('k1')];
    expect(first.statusCode).toBe(201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(again.headers['idempotent-replayed']).toBe('true');
    for (const { statusCode, headers, json } of [first, again]) {
      expect({ statusCode, etag: headers.etag }).toEqual({ statusCode: 201, etag: '"1"' });
      expect(json()).toEqual({ made: 1 });
    }
  });

  it('tells callers apart who use the same key', async () => {
    const other = issuer.token({ subject: 'user-2' });
    expect((await make('k2')).json()).not.toEqual((await make('k2', other)).json());
  });

  const postTo = async (url: string, key: string, ifMatch?: string) => {
    const headers = {
      authorization: `Bearer ${issuer.token({ subject: 'user-1' })}`,
      'idempotency-key': key,
      ...(ifMatch !== undefined && { 'if-match': ifMatch }),
    };
    return (await service.app.inject({ method: 'POST', url, headers })).json<object>();
  };

  it('knows a route again however its path is written', async () => {
    const first = await postTo('/things', 'k3');
    expect(await postTo('/%74hings', 'k3')).toEqual(first);
    expect(await postTo('/things?a=b', 'k3')).toEqual(first);
    const copy = await postTo('/things/a%2Fb/copies/red', 'k3');
    expect(copy).not.toEqual(first);
    expect(await postTo('/things/%61%2fb/%63opies/red', 'k3')).toEqual(copy);
  });

  it('knows an id again in capitals', async () => {
    const id = '01a20184-a763-7e11-8c5d-0f3b6a9d2e41';
    const copy = await postTo(`/things/${id}/copies/red`, 'k6');
    expect(await postTo(`/things/${id.toUpperCase()}/copies/red`, 'k6')).toEqual(copy);
    expect(await postTo(`/things/${id}/copies/RED`, 'k6')).not.toEqual(copy);
  });

  it('tells apart what the path names', async () => {
    const copies = ['a/copies/b', 'b/copies/a', 'a%2Fcopies/copies/b', 'ab/copies/b'];
    const made = await Promise.all(copies.map((path) => postTo(`/things/${path}`, 'k4')));
    expect(new Set(made.map((body) => JSON.stringify(body))).size).toBe(copies.length);
  });

  it('takes another If-Match for another request', async () => {
    const first = await postTo('/things', 'k5', '"1"');
    expect(await postTo('/things', 'k5', '"1"')).toEqual(first);
    const reused = { status: 422, code: 'idempotency_key_reused' };
    expect(await postTo('/things', 'k5', '"2"')).toMatchObject(reused);
    expect(await postTo('/things', 'k5')).toMatchObject(reused);
  });

  it.each([null, 'a b', 'ä', 'k'.repeat(256)])('asks for a key instead of %j', async (key) => {
    const refused = await make(key);
    expect(refused.json()).toMatchObject({ status: 400, code: 'idempotency_key_required' });
  });
});
