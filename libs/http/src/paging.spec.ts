import { Controller, Get, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import { z } from 'zod';
import { pageQuery } from './paging.js';
import { serviceOf } from './testing/service-of.js';

@Controller('things')
class ThingsController {
  @Get()
  @Public()
  list(@Query({ schema: z.strictObject(pageQuery) }) query: object): object {
    return query;
  }
}

describe('the query of a list', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await serviceOf([ThingsController]);
  });
  afterAll(() => app.close());

  const list = async (query: string) =>
    (await app.inject(`/things?${query}`)).json<{ detail?: string }>();

  it('asks for 20 when it does not say how many', async () => {
    expect(await list('')).toEqual({ limit: 20 });
    expect(await list('limit=7&cursor=x')).toEqual({ limit: 7, cursor: 'x' });
  });

  it.each([
    ['limit=1&limit=2', 'limit: expected one whole number from 1 to 100'],
    ['limit=many', 'limit: expected one whole number from 1 to 100'],
    ['limit=1.5', 'limit: expected one whole number from 1 to 100'],
    ['limit=0', 'limit: expected one whole number from 1 to 100'],
    ['limit=101', 'limit: expected one whole number from 1 to 100'],
    ['cursor=a&cursor=b', 'cursor: Invalid input: expected string, received array'],
  ])('that says %s is told: %s', async (query, detail) => {
    expect(await list(query)).toMatchObject({ status: 400, code: 'validation_failed', detail });
  });
});
