import { Body, Controller, Delete, Get, Param, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import { serviceOf } from './testing/service-of.js';

@Controller('things')
@Public()
class ThingsController {
  @Get()
  list(): object {
    return {};
  }

  @Post()
  make(@Body() _body: unknown): object {
    return {};
  }

  @Get('kinds/:kind')
  kind(@Param('kind') _kind: string): object {
    return {};
  }

  @Delete(':id')
  remove(@Param('id') _id: string): void {
    return;
  }
}

describe.each([
  ['a service', {}],
  ['a service for browsers', { CORS_ORIGINS: 'https://shop.example' }],
])('%s that is asked for what it has not', (_which, environment) => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await serviceOf([ThingsController], environment);
  });
  afterAll(() => app.close());

  it.each([
    ['PUT', '/things', 'GET, HEAD, POST'],
    ['PATCH', '/things?a=b', 'GET, HEAD, POST'],
    ['GET', '/things/7', 'DELETE'],
    ['POST', '/health/live', 'GET, HEAD'],
  ] as const)('says which methods a path has instead of %s: %s', async (method, url, allow) => {
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(405);
    expect(response.headers).toMatchObject({
      allow,
      'content-type': expect.stringContaining('application/problem+json') as string,
      'x-content-type-options': 'nosniff',
    });
    expect(response.json()).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  it.each(['/nothing', '/things/7/8', '/', '/things/'])('answers 404 for %s', async (url) => {
    const response = await app.inject({ method: 'POST', url, payload: { a: 1 } });
    expect(response.json()).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('answers 404 for a path that ends where an id belongs', async () => {
    const response = await app.inject('/things/kinds/');
    const problem = { status: 404, code: 'not_found', detail: 'There is nothing at this path.' };
    expect(response.json()).toMatchObject(problem);
  });

  it('does not read the body of what it refuses', async () => {
    const headers = { 'content-type': 'text/csv' };
    const payload = 'x'.repeat(70_000);
    const refused = { method: 'PUT', headers, payload } as const;
    expect((await app.inject({ ...refused, url: '/things' })).statusCode).toBe(405);
    expect((await app.inject({ ...refused, url: '/nothing' })).statusCode).toBe(404);
  });
});
