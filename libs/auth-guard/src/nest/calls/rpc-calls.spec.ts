import { Controller, Get, Logger, UseGuards } from '@nestjs/common';
import type { CanActivate, INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  ClientProxyFactory,
  EventPattern,
  MessagePattern,
  Payload,
  Transport,
} from '@nestjs/microservices';
import type { ClientProxy } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { lastValueFrom } from 'rxjs';
import {
  Authenticated,
  AuthGuardModule,
  CurrentUser,
  listRoutes,
  Public,
  Roles,
  Scopes,
} from '../../index.js';
import type { AuthGuardOptions, Principal, RpcOptions } from '../../index.js';
import { createTestIssuer } from '../../testing/index.js';

const issuer = createTestIssuer();
const rpc: RpcOptions = { token: (payload) => (payload as { token?: string }).token };

class OpenGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Controller('stock')
@UseGuards(OpenGuard)
class StockController {
  static effects: unknown[] = [];

  @MessagePattern('stock.reserve')
  @Scopes('stock:reserve')
  reserve(@CurrentUser() caller: Principal): object {
    return { reservedFor: caller.clientId };
  }

  @MessagePattern({ cmd: 'audit' })
  @Roles('admin')
  audit(): string {
    return 'audited';
  }

  @MessagePattern('stock.ping')
  @Public()
  ping(): string {
    return 'pong';
  }

  @EventPattern('stock.moved')
  @Authenticated('any')
  moved(@Payload() payload: unknown): void {
    StockController.effects.push(payload);
  }

  @Get()
  @Authenticated()
  overHttp(): string {
    return 'ok';
  }
}

interface Started {
  app: INestApplication;
  client: ClientProxy;
}

async function start(
  options: Partial<AuthGuardOptions>,
  { inheritAppConfig = false } = {},
): Promise<Started> {
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, ...options })],
    controllers: [StockController],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), {
    logger: false,
  });
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const tcp = { transport: Transport.TCP as const, options: { host: '127.0.0.1', port } };
  app.connectMicroservice(tcp, { inheritAppConfig });
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return { app, client: ClientProxyFactory.create(tcp) };
}

beforeAll(() => {
  Logger.overrideLogger(false);
});

describe.each([
  ['of its own configuration', false],
  ["with the application's configuration", true],
])('a hybrid application %s', (_what, inheritAppConfig) => {
  let started: Started;

  beforeAll(async () => {
    started = await start({ rpc }, { inheritAppConfig });
  });

  afterAll(async () => {
    await started.client.close();
    await started.app.close();
  });

  const send = (pattern: unknown, payload: object) =>
    lastValueFrom(started.client.send<unknown>(pattern, payload));

  it('lets a message in with the token that opens it, and knows the caller', async () => {
    const token = issuer.serviceToken({ clientId: 'orders', scopes: ['stock:reserve'] });
    expect(await send('stock.reserve', { token })).toEqual({ reservedFor: 'orders' });
    expect(await send({ cmd: 'audit' }, { token: issuer.token({ roles: ['admin'] }) })).toBe(
      'audited',
    );
  });

  it.each([
    ['without a token', {}, 'token_missing'],
    ['with a token of no scope', { token: issuer.serviceToken() }, 'insufficient_scope'],
    [
      "with a user's token",
      { token: issuer.token({ scopes: ['stock:reserve'] }) },
      'insufficient_scope',
    ],
    ['with a token that is no text', { token: { length: 3 } }, 'token_malformed'],
    ['with an expired token', { token: issuer.badTokens().expired }, 'token_expired'],
    ['with a forged token', { token: issuer.badTokens().tampered }, 'token_signature_invalid'],
  ])('refuses a message %s, with the code', async (_what, payload, code) => {
    await expect(send('stock.reserve', payload)).rejects.toMatchObject({ code });
  });

  it('drops an event without a token', async () => {
    const before = StockController.effects.length;
    await lastValueFrom(started.client.emit('stock.moved', { n: 1 }), { defaultValue: 0 });
    const good = { n: 2, token: issuer.token() };
    await lastValueFrom(started.client.emit('stock.moved', good), { defaultValue: 0 });
    await send('stock.ping', {});
    expect(StockController.effects.slice(before)).toEqual([good]);
  });

  it('asks a public message for nothing', async () => {
    expect(await send('stock.ping', {})).toBe('pong');
  });

  it('still guards its routes over HTTP', async () => {
    expect((await fetch(`${await started.app.getUrl()}/stock`)).status).toBe(401);
  });

  it('lists messages and events among its routes', () => {
    expect(listRoutes(started.app).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /stock',
      'MESSAGE stock.reserve',
      'MESSAGE {"cmd":"audit"}',
      'MESSAGE stock.ping',
      'EVENT stock.moved',
    ]);
  });
});

describe('an application that does not say where messages carry their token', () => {
  it('denies them, though they carry one somewhere', async () => {
    const { app, client } = await start({});
    const token = issuer.token({ roles: ['admin'] });
    const answer = lastValueFrom(client.send({ cmd: 'audit' }, { token, authorization: token }));
    await expect(answer).rejects.toMatchObject({ code: 'token_missing' });
    await client.close();
    await app.close();
  });
});

it('does not start with a message that says nothing about access', async () => {
  @Controller()
  class ForgetfulController {
    @MessagePattern('forgotten')
    forgotten(): void {
      // Only its decorators matter.
    }
  }
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot(issuer.options)],
    controllers: [ForgetfulController],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), {
    logger: false,
  });
  await expect(app.init()).rejects.toThrow('ForgetfulController.forgotten (MESSAGE forgotten)');
});
