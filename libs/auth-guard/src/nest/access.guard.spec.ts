import { Controller, Get, Logger, Post, UseGuards } from '@nestjs/common';
import type { CanActivate, INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Authenticated, AuthGuardModule, CurrentUser, Public, Roles, Scopes } from '../index.js';
import type { AuthGuardOptions, Principal } from '../index.js';
import { createTestIssuer } from '../testing/index.js';
import { AccessGuard } from './access.guard.js';

const issuer = createTestIssuer();

class OpenGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Controller('orders')
@Authenticated()
class OrdersController {
  static effects = 0;

  @Get()
  list(@CurrentUser() user: Principal): object {
    return { subject: user.subject, roles: user.roles, frozen: Object.isFrozen(user) };
  }

  @Post()
  @UseGuards(OpenGuard)
  @Roles('customer')
  create(): void {
    OrdersController.effects += 1;
  }

  @Get('open')
  @Public()
  open(@CurrentUser() user: Principal | undefined): object {
    return { anonymous: user === undefined };
  }

  @Get('greeting')
  @Public({ token: 'optional' })
  greeting(@CurrentUser() user: Principal | undefined): object {
    return { subject: user?.subject ?? null };
  }

  @Get('lenient')
  @Public({ token: 'lenient' })
  lenient(@CurrentUser() user: Principal | undefined): object {
    return { subject: user?.subject ?? null };
  }

  @Get('all')
  @Roles('support', 'admin')
  all(): object {
    return [];
  }

  @Get('reserve')
  @Scopes('inventory:reserve', 'inventory:read')
  reserve(): object {
    return {};
  }
}

@Controller('internal')
class InternalController {
  @Post('reservations')
  @Scopes('inventory:reserve')
  reserve(): void {
    OrdersController.effects += 1;
  }

  @Get('either')
  @Authenticated('any')
  either(@CurrentUser() { kind }: Principal): object {
    return { kind };
  }
}

const adapters = [
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
] as const;

async function start(
  adapter: () => FastifyAdapter | ExpressAdapter,
  options: Partial<AuthGuardOptions> = {},
): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, ...options })],
    controllers: [OrdersController, InternalController],
  }).compile();
  const app = module.createNestApplication(adapter());
  await app.listen(0, '127.0.0.1');
  return app;
}

describe.each(adapters)('over HTTP on %s', (_name, adapter) => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await start(adapter);
    url = await app.getUrl();
  });

  afterAll(() => app.close());

  const call = (path: string, token?: string, method = 'GET') =>
    fetch(`${url}${path}`, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });

  it('a user gets in and is known to the handler', async () => {
    const response = await call('/orders', issuer.token({ subject: 'u7', roles: ['customer'] }));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ subject: 'u7', roles: ['customer'], frozen: true });
  });

  it('without a token the answer is 401, a plain challenge and a problem document', async () => {
    const response = await call('/orders');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="urn:test:api"');
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(await response.json()).toMatchObject({
      type: 'urn:signet:problem:token_missing',
      status: 401,
      code: 'token_missing',
    });
  });

  it.each(Object.keys(issuer.badTokens()))(
    'the bad token "%s" is 401 and opens nothing',
    async (kind) => {
      const effects = OrdersController.effects;
      const bad = issuer.badTokens({ roles: ['customer'] })[kind as 'expired'];
      const response = await call('/orders', bad, 'POST');
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
      const body = await response.text();
      expect(body).not.toContain(bad);
      expect(JSON.parse(body)).toMatchObject({ status: 401 });
      expect(OrdersController.effects).toBe(effects);
    },
  );

  it.each([
    ['another scheme', 'Basic dXNlcjpwYXNz', 'token_missing'],
    ['another scheme with a good token', `Token ${issuer.token()}`, 'token_missing'],
    ['no scheme', issuer.token(), 'token_missing'],
    ['the scheme alone', 'Bearer', 'token_malformed'],
    ['two tokens', `Bearer ${issuer.token()} ${issuer.token()}`, 'token_malformed'],
  ])('an Authorization header with %s is 401', async (_what, authorization, code) => {
    const response = await fetch(`${url}/orders`, { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code });
  });

  it('the scheme is read in any case', async () => {
    const headers = { authorization: `bEARER ${issuer.token()}` };
    expect((await fetch(`${url}/orders`, { headers })).status).toBe(200);
  });

  it('a token anywhere else is not looked at', async () => {
    const token = issuer.token();
    const headers = { cookie: `access_token=${token}`, 'x-access-token': token };
    const response = await fetch(`${url}/orders?access_token=${token}`, { headers });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: 'token_missing' });
  });

  it('a user without the role is 403, and is told which it takes', async () => {
    const response = await call('/orders/all', issuer.token({ roles: ['customer'] }));
    expect(response.status).toBe(403);
    expect(response.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    expect(await response.json()).toMatchObject({
      code: 'insufficient_scope',
      detail: 'Needs the role support or admin.',
      required: { roles: ['support', 'admin'] },
    });
  });

  it.each([
    ['a role in other letters', { roles: ['Admin'] }],
    ['a role with a space', { roles: ['admin '] }],
    ['the role as a scope', { scopes: ['admin'] }],
    ['the name of the role as the subject', { subject: 'admin' }],
  ])('%s is not the role', async (_what, options) => {
    expect((await call('/orders/all', issuer.token(options))).status).toBe(403);
  });

  it('one of several roles is enough, and all of several scopes are needed', async () => {
    expect((await call('/orders/all', issuer.token({ roles: ['support'] }))).status).toBe(200);
    const one = issuer.token({ scopes: ['inventory:reserve'] });
    const both = issuer.token({ scopes: ['inventory:read', 'x', 'inventory:reserve'] });
    const refused = await call('/orders/reserve', one);
    expect(refused.status).toBe(403);
    expect(refused.headers.get('www-authenticate')).toContain(
      'scope="inventory:reserve inventory:read"',
    );
    expect((await call('/orders/reserve', both)).status).toBe(200);
  });

  it('a service is 403 on the routes of users, whatever its token claims', async () => {
    const effects = OrdersController.effects;
    const claims = { roles: ['admin', 'customer'] };
    for (const token of [issuer.serviceToken(), issuer.serviceToken({ claims })]) {
      expect((await call('/orders', token)).status).toBe(403);
      expect((await call('/orders/all', token)).status).toBe(403);
      expect((await call('/orders', token, 'POST')).status).toBe(403);
    }
    expect(OrdersController.effects).toBe(effects);
  });

  it('a user is 403 on the routes of services, whatever the scope', async () => {
    const path = '/internal/reservations';
    const user = issuer.token({ roles: ['admin'], scopes: ['inventory:reserve'] });
    const response = await call(path, user, 'POST');
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ required: { caller: 'service' } });
    const service = (scopes: string[]) => issuer.serviceToken({ scopes });
    expect((await call(path, service(['inventory:reserve']), 'POST')).status).toBe(201);
    expect((await call(path, service(['inventory:reserves']), 'POST')).status).toBe(403);
    expect((await call(path, service([]), 'POST')).status).toBe(403);
  });

  it('a route for both takes both', async () => {
    const kinds = [issuer.token(), issuer.serviceToken()].map(async (token) =>
      (await call('/internal/either', token)).json(),
    );
    expect(await Promise.all(kinds)).toEqual([{ kind: 'user' }, { kind: 'service' }]);
  });

  it('a public route asks for nothing and knows nobody', async () => {
    const answers = [await call('/orders/open'), await call('/orders/open', issuer.token())];
    for (const answer of answers) expect(await answer.json()).toEqual({ anonymous: true });
  });

  it('a public route that takes a token knows who brought one', async () => {
    const known = await call('/orders/greeting', issuer.token({ subject: 'u1' }));
    expect(await known.json()).toEqual({ subject: 'u1' });
    expect(await (await call('/orders/greeting')).json()).toEqual({ subject: null });
    const headers = { authorization: 'Basic dXNlcjpwYXNz' };
    expect((await fetch(`${url}/orders/greeting`, { headers })).status).toBe(200);
  });

  it.each(Object.keys(issuer.badTokens()))(
    'a public route that takes a token refuses the bad one "%s", unless that counts as none',
    async (kind) => {
      const bad = issuer.badTokens()[kind as 'expired'];
      const refused = await call('/orders/greeting', bad);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"');
      const lenient = await call('/orders/lenient', bad);
      expect(await lenient.json()).toEqual({ subject: null });
    },
  );

  it('HEAD is guarded like GET', async () => {
    expect((await call('/orders', undefined, 'HEAD')).status).toBe(401);
  });

  it('other spellings of a path are guarded or are not there', async () => {
    for (const path of ['/orders/', '//orders', '/ORDERS', '/%6frders', '/open/../orders']) {
      expect([401, 404]).toContain((await call(path)).status);
    }
  });
});

describe.each(adapters)('when the keys cannot be had, on %s', (_name, adapter) => {
  it('the answer is 503 with the time to come back, never 401', async () => {
    const server = await issuer.serve();
    server.answerWith((response) => response.destroy());
    Logger.overrideLogger(false);
    const app = await start(adapter, { keys: { jwksUri: server.jwksUri } });
    const response = await fetch(`${await app.getUrl()}/orders`, {
      headers: { authorization: `Bearer ${issuer.token()}` },
    });
    expect(response.status).toBe(503);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(response.headers.get('www-authenticate')).toBeNull();
    expect(await response.json()).toMatchObject({ code: 'keys_unavailable', status: 503 });
    await app.close();
    await server.close();
  });
});

describe('a call of a kind that the guard does not know', () => {
  it.each(['telegram', 'toString', ''])('is denied: %s', async (type) => {
    Logger.overrideLogger(false);
    const app = await start(() => new FastifyAdapter());
    const guard = app.get(AccessGuard);
    const context = {
      getType: () => type,
      getClass: () => OrdersController,
      getHandler: () => Reflect.get(OrdersController.prototype, 'open') as unknown,
    };
    expect(guard.canActivate(context as never)).toBe(false);
    await app.close();
  });
});
