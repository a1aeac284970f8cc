import { Body, Controller, Get, Injectable, Param, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuthGuardModule, Public, Roles } from '@signet/auth-guard';
import { z } from 'zod';
import { Readiness } from './health.module.js';
import { notFound } from './problem.js';
import { Returns } from './returns.decorator.js';
import { issuer, serviceOf, unstarted } from './testing/service-of.js';
import { plainText } from './text.js';

const thing = z.strictObject({ name: plainText(20), quantity: z.int().min(1) });

@Controller('things')
class ThingsController {
  @Post()
  @Public()
  @Returns(201, z.object({ name: z.string() }))
  make(@Body({ schema: thing }) body: z.infer<typeof thing>) {
    return { ...body, secret: 'a column that nobody should see' };
  }

  @Get()
  @Public()
  list(@Query({ schema: z.strictObject({ limit: z.string().optional() }) }) _query: object) {
    return {};
  }

  @Get('broken')
  @Roles('admin')
  broken(): never {
    throw new Error('password=hunter2');
  }

  @Get('waiting')
  @Public()
  waiting(): never {
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    throw new Error('Failed query: select $1, params: hunter2', { cause });
  }

  @Get(':id')
  @Public()
  read(@Param('id', { schema: z.uuid() }) _id: string): never {
    throw notFound('thing');
  }
}

const dependency = { ready: true };

@Readiness('dependency')
@Injectable()
class DependencyReadiness {
  checkReadiness(): void {
    if (!dependency.ready) throw new Error('down');
  }
}

describe('a service', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await serviceOf([ThingsController], {}, [DependencyReadiness]);
  });

  afterAll(() => app.close());

  const post = (payload: unknown, headers = {}) =>
    app.inject({
      method: 'POST',
      url: '/things',
      payload: payload as object,
      headers: { 'content-type': 'application/json', ...headers },
    });

  it('answers what its schema says and nothing more', async () => {
    const response = await post({ name: ' mug ', quantity: 1 });
    expect(response.statusCode).toBe(201);
    expect(response.json()).toEqual({ name: 'mug' });
  });

  it('lists every mistake of a request with its JSON Pointer', async () => {
    const response = await post({ name: '', quantity: -3, colour: 'red' });
    expect(response.statusCode).toBe(400);
    expect(response.headers['content-type']).toMatch('application/problem+json');
    const problem = response.json<{ code: string; errors: { pointer: string }[] }>();
    expect(problem).toMatchObject({ type: 'urn:signet:problem:validation_failed', status: 400 });
    expect(problem.errors.map(({ pointer }) => pointer).sort()).toEqual(['', '/name', '/quantity']);
    expect(response.body).toContain('colour');
  });

  it.each([
    ['malformed JSON', '{"name": ', {}, 400],
    ['an empty body', '', {}, 400],
    ['a NUL character', { name: 'a\0b', quantity: 1 }, {}, 400],
    ['a lone surrogate', '{"name":"\\ud800","quantity":1}', {}, 400],
    ['a body of 1 MB', { name: 'x'.repeat(1024 * 1024), quantity: 1 }, {}, 413],
    ['another media type', 'name=mug', { 'content-type': 'text/csv' }, 415],
  ])('refuses %s with a problem document', async (_what, payload, headers, status) => {
    const response = await post(payload, headers);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, code: expect.any(String) as string });
  });

  it.each(['__proto__', 'constructor', 'prototype'])(
    'refuses a query of what it does not know, %s included',
    async (name) => {
      const response = await app.inject(`/things?${name}=1`);
      expect(response.json()).toMatchObject({ status: 400, code: 'validation_failed' });
      expect(response.body).toContain(name);
    },
  );

  it('does not let a body reach Object.prototype', async () => {
    await post('{"__proto__":{"polluted":true},"name":"mug","quantity":1}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('names no internals when it fails', async () => {
    const token = issuer.token({ roles: ['admin'] });
    const response = await app.inject({
      url: '/things/broken',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({
      code: 'internal_error',
      instance: expect.stringMatching(/^urn:uuid:[-0-9a-f]{36}$/) as string,
    });
    expect(response.body).not.toContain('hunter2');
  });

  it('says that it is to be tried again when its database does not answer', async () => {
    const answer = await app.inject({ url: '/things/waiting' });
    expect(answer.statusCode).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.json()).toMatchObject({ code: 'temporarily_unavailable' });
    expect(answer.body).not.toContain('hunter2');
  });

  it('answers 404 as a problem document, for a route as for a thing', async () => {
    const route = await app.inject('/nowhere');
    const missing = await app.inject('/things/018f0000-0000-7000-8000-000000000000');
    expect(route.json()).toMatchObject({ status: 404, code: 'not_found' });
    expect(missing.json()).toMatchObject({ status: 404, code: 'not_found' });
  });

  it.each([
    ['a path that cannot be decoded', '/things/%', 400],
    ['a parameter that is too long', `/things/${'a'.repeat(500)}`, 414],
  ])('answers %s as a problem document', async (_what, url, status) => {
    const response = await app.inject(url);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, code: expect.any(String) as string });
    expect(response.headers['content-type']).toMatch('application/problem+json');
  });

  it('is alive at once, and ready when what it depends on is', async () => {
    expect((await app.inject('/health/live')).statusCode).toBe(200);
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
    dependency.ready = false;
    const response = await app.inject('/health/ready');
    dependency.ready = true;
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.json()).toMatchObject({ code: 'not_ready' });
  });

  it('counts requests by route pattern, not by path', async () => {
    await app.inject('/things/018f0000-0000-7000-8000-000000000001');
    const metrics = (await app.inject('/metrics')).body;
    expect(metrics).toContain('route="/things/:id"');
    expect(metrics).not.toContain('018f0000');
    expect(metrics).toContain('auth_guard_calls_total{kind="http",outcome="admitted",code=""}');
  });

  it('documents each route with who may call it', async () => {
    const document = (await app.inject('/docs/json')).json<{
      paths: Record<string, Record<string, { security?: object[]; description?: string }>>;
    }>();
    const broken = document.paths['/things/broken']?.get;
    expect(broken?.security).toEqual([{ bearer: [] }]);
    expect(broken?.description).toMatch(/admin/);
    expect(document.paths['/things']?.post?.security).toBeUndefined();
    expect(document.paths['/things']?.post).toHaveProperty(
      'requestBody.content.application/json.schema.properties.quantity',
    );
  });

  it('sends the security headers', async () => {
    const { headers } = await app.inject('/health/live');
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['x-content-type-options']).toBe('nosniff');
  });

  it('does not ask for its documentation by https where it is read by http', async () => {
    const { headers } = await app.inject('/docs');
    expect(headers['content-security-policy']).toContain("default-src 'self'");
    expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
  });
});

describe('a service with a route that says nothing about access', () => {
  @Controller('forgotten')
  class ForgottenController {
    @Get()
    open(): string {
      return 'everything';
    }
  }

  it('refuses to boot and names the route', async () => {
    const guard = AuthGuardModule.forRoot(issuer.options);
    const app = await unstarted({ imports: [guard], controllers: [ForgottenController] });
    await expect(app.init()).rejects.toThrow(/ForgottenController\.open/);
    await app.close();
  });
});
