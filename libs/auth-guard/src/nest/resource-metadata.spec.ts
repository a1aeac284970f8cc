import { All, Controller, Get } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Authenticated, AuthGuardModule, describeAccess, listRoutes, Scopes } from '../index.js';
import type { AuthGuardOptions } from '../index.js';
import { createTestIssuer } from '../testing/index.js';

const issuer = createTestIssuer();
const RESOURCE = 'http://127.0.0.1';

@Controller()
class StockController {
  @Get('stock')
  @Authenticated('any')
  @Scopes('stock:write', 'stock:read')
  stock(): string {
    return 'ok';
  }

  @Get('mine')
  @Authenticated()
  mine(): string {
    return 'ok';
  }

  @All('*')
  @Authenticated()
  everythingElse(): string {
    return 'ok';
  }
}

async function create(
  adapter: () => FastifyAdapter | ExpressAdapter,
  options: Partial<AuthGuardOptions>,
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [
      AuthGuardModule.forRootAsync({ useFactory: () => ({ ...issuer.options, ...options }) }),
    ],
    controllers: [StockController],
  }).compile();
  return module.createNestApplication(adapter(), { logger: false });
}

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])("a service's metadata on %s", (_name, adapter) => {
  let app: INestApplication;

  const start = async (options: Partial<AuthGuardOptions>, prefix?: string) => {
    app = await create(adapter, options);
    if (prefix) app.setGlobalPrefix(prefix);
    await app.listen(0, '127.0.0.1');
    return (path: string) => fetchFrom(app, path);
  };

  const fetchFrom = async (served: INestApplication, path: string) =>
    fetch(new URL(path, await served.getUrl()));

  afterEach(() => app.close());

  it('is where the challenge says that it is, and says whose tokens open the service', async () => {
    const call = await start({ resourceMetadata: { resource: RESOURCE } });
    const challenge = (await call('/mine')).headers.get('www-authenticate') ?? '';
    const named = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
    expect(named).toBe(`${RESOURCE}/.well-known/oauth-protected-resource`);
    const answer = await call(new URL(named).pathname);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=3600');
    expect(await answer.json()).toEqual({
      resource: RESOURCE,
      authorization_servers: [issuer.options.issuer],
      scopes_supported: ['stock:read', 'stock:write'],
      bearer_methods_supported: ['header'],
    });
  });

  it('goes between the host and the path of the resource, whatever prefix the routes have', async () => {
    const resource = `${RESOURCE}/orders`;
    const call = await start({ resourceMetadata: { resource } }, 'api');
    const answer = await call('/.well-known/oauth-protected-resource/orders');
    expect(await answer.json()).toMatchObject({ resource });
    expect((await call('/api/mine')).headers.get('www-authenticate')).toContain(
      `resource_metadata="${RESOURCE}/.well-known/oauth-protected-resource/orders"`,
    );
  });

  it('tells of several issuers, of keys that tokens are bound to, and of what it was told to', async () => {
    const call = await start({
      otherIssuers: [{ ...issuer.options, issuer: 'https://sso.example' }],
      dpop: { publicUrls: RESOURCE, required: true, algorithms: ['ES256'] },
      resourceMetadata: {
        resource: RESOURCE,
        name: 'Stock',
        documentation: 'https://docs.example',
        scopes: ['stock:read'],
      },
    });
    expect(await (await call('/.well-known/oauth-protected-resource')).json()).toEqual({
      resource: RESOURCE,
      authorization_servers: [issuer.options.issuer, 'https://sso.example'],
      scopes_supported: ['stock:read'],
      bearer_methods_supported: [],
      dpop_signing_alg_values_supported: ['ES256'],
      dpop_bound_access_tokens_required: true,
      resource_name: 'Stock',
      resource_documentation: 'https://docs.example',
    });
  });

  it('stands in the table of routes as public', async () => {
    await start({ resourceMetadata: { resource: RESOURCE } });
    const found = listRoutes(app).find(({ path }) => path.startsWith('/.well-known/'));
    expect(found).toMatchObject({ method: 'GET', path: '/.well-known/oauth-protected-resource' });
    expect(found && describeAccess(found.access)).toBe('public');
  });

  it('is not there unless it is asked for', async () => {
    const elsewhere = 'https://api.example/.well-known/oauth-protected-resource';
    const call = await start({ resourceMetadata: elsewhere });
    const answer = await call('/.well-known/oauth-protected-resource');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain(`resource_metadata="${elsewhere}"`);
    expect(listRoutes(app).some(({ path }) => path.startsWith('/.well-known/'))).toBe(false);
  });
});

it.each([
  'orders',
  'urn:example:orders',
  'https://api.example/#x',
  'https://api.example/?x=1',
  'https://user@api.example',
  'https://api.example/:id',
  'https://api.example/*',
])('does not start when the resource is %s, which is no address of a service', async (resource) => {
  const started = create(() => new FastifyAdapter(), { resourceMetadata: { resource } });
  await expect(started).rejects.toThrow('resourceMetadata.resource');
});
