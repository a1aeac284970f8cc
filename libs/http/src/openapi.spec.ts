import { Body, Controller, Delete, Get, Param, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse } from '@nestjs/swagger';
import { Authenticated, Public, Roles, Scopes } from '@signet/auth-guard';
import { z } from 'zod';
import { pageQuery } from './paging.js';
import { Returns } from './returns.decorator.js';
import { issuer, serviceOf } from './testing/service-of.js';

const thing = z.object({ name: z.string() });
const listQuery = z.strictObject(pageQuery);

@Controller('things')
class ThingsController {
  @Get()
  @Public()
  list(@Query({ schema: listQuery }) _query: unknown): object {
    return {};
  }

  @Post()
  @Roles('admin')
  @ApiOperation({ summary: 'Adds a thing' })
  @ApiResponse({ status: 409, description: 'There is one: `name_taken`' })
  @Returns(201, thing)
  make(@Body({ schema: thing }) body: z.infer<typeof thing>): object {
    return body;
  }

  @Get('mine')
  @Authenticated()
  listMineOnly(): object {
    return {};
  }

  @Delete(':id')
  @Scopes('things:remove')
  @Returns(204)
  remove(@Param('id', { schema: z.uuid() }) _id: string): void {
    return;
  }
}

type Answer = { $ref: string } | { description: string; content?: object };

interface Document {
  paths: Record<string, Record<string, { summary: string; responses: Record<string, Answer> }>>;
  components: { responses: Record<string, object>; schemas: Record<string, object> };
}

describe('the OpenAPI document of a service', () => {
  let app: NestFastifyApplication;
  let document: Document;

  beforeAll(async () => {
    app = await serviceOf([ThingsController]);
    document = (await app.inject('/docs/json')).json();
  });
  afterAll(() => app.close());

  const answersOf = (method: string, path: string) =>
    document.paths[path]?.[method.toLowerCase()]?.responses ?? {};

  it.each([
    ['GET', '/things', [200, 400, 429]],
    ['POST', '/things', [201, 400, 401, 403, 409, 413, 415, 429, 503]],
    ['GET', '/things/mine', [200, 401, 403, 429, 503]],
    ['DELETE', '/things/{id}', [204, 400, 401, 403, 404, 429, 503]],
    ['GET', '/health/live', [200]],
    ['GET', '/health/ready', [200, 503]],
  ])('lists how %s %s can end', (method, path, statuses) => {
    expect(Object.keys(answersOf(method, path)).map(Number)).toEqual(statuses);
  });

  const token = issuer.token({ roles: ['admin'] });
  const service = issuer.serviceToken({ scopes: ['things:remove'] });

  it.each([
    [400, 'GET', '/things?limit=none', undefined, undefined],
    [400, 'POST', '/things', token, {}],
    [401, 'POST', '/things', undefined, { name: 'mug' }],
    [403, 'POST', '/things', issuer.token(), { name: 'mug' }],
    [413, 'POST', '/things', token, { name: 'x'.repeat(70_000) }],
    [403, 'GET', '/things/mine', service, undefined],
    [400, 'DELETE', '/things/7', service, undefined],
  ] as const)('has the %i that %s %s gives', async (status, method, url, bearer, payload) => {
    const headers = bearer ? { authorization: `Bearer ${bearer}` } : {};
    const response = await app.inject({ method, url, headers, ...(payload && { payload }) });
    expect(response.statusCode).toBe(status);
    const path = url.replace(/\?.*/, '').replace('/7', '/{id}');
    expect(answersOf(method, path)).toHaveProperty(String(status));
  });

  it('says of each operation in words what it does', () => {
    const summaries = Object.values(document.paths).flatMap((item) =>
      Object.values(item).map(({ summary }) => summary),
    );
    expect(summaries).toContain('Adds a thing');
    expect(summaries).toContain('List mine only');
    expect(summaries.every((summary) => summary.length > 0)).toBe(true);
  });

  it('describes errors as the problem documents that they are, once', () => {
    const problem = {
      'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
    };
    expect(answersOf('POST', '/things')['409']).toMatchObject({ content: problem });
    expect(document.components.schemas).toHaveProperty('Problem.properties.code');
    for (const item of Object.values(document.paths)) {
      for (const { responses } of Object.values(item)) {
        for (const answer of Object.values(responses)) {
          if (!('$ref' in answer)) continue;
          const name = answer.$ref.split('/').at(-1) ?? '';
          expect(document.components.responses[name]).toMatchObject({ content: problem });
        }
      }
    }
  });
});
