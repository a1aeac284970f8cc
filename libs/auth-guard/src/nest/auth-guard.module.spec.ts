import { Catch, Controller, Get, Injectable, Module } from '@nestjs/common';
import type {
  ArgumentsHost,
  DynamicModule,
  ExceptionFilter,
  INestApplication,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import type { FastifyReply } from 'fastify';
import { AuthException, AuthGuardModule, KeyReadiness, Roles, TokenVerifier } from '../index.js';
import type { AuthGuardOptions, KeySource } from '../index.js';
import { createTestIssuer, TestClock } from '../testing/index.js';

const issuer = createTestIssuer();

@Controller()
class AdminController {
  @Get('admin')
  @Roles('admin')
  admin(): object {
    return {};
  }
}

async function start(guard: DynamicModule, ...providers: object[]): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [guard],
    controllers: [AdminController],
    providers: providers as never[],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  return app;
}

async function statusOf(app: INestApplication, token = issuer.token({ roles: ['admin'] })) {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${await app.getUrl()}/admin`, { headers })).status;
}

describe('the module', () => {
  it('can be set up with what another module knows', async () => {
    @Injectable()
    class Settings {
      readonly guard: AuthGuardOptions = issuer.options;
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    const app = await start(
      AuthGuardModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: (settings: Settings) => settings.guard,
      }),
    );
    expect(await statusOf(app)).toBe(200);
    await app.close();
  });

  it('verifies with a key source of the application, whose life it shares', async () => {
    const events: string[] = [];
    const keys: KeySource = {
      getKey: (kid) => (kid === issuer.keyPair.kid ? issuer.keyPair.publicKey : undefined),
      start: () => void events.push('start'),
      close: () => void events.push('close'),
    };
    const app = await start(AuthGuardModule.forRoot({ ...issuer.options, keys }));
    expect(await statusOf(app)).toBe(200);
    expect(await statusOf(app, issuer.badTokens().unknownKey)).toBe(401);
    expect(events).toEqual(['start']);
    await app.close();
    expect(events).toEqual(['start', 'close']);
  });

  it('does not start when its key source cannot', async () => {
    const keys: KeySource = {
      getKey: () => undefined,
      start: () => Promise.reject(new Error('no key ring')),
    };
    await expect(start(AuthGuardModule.forRoot({ ...issuer.options, keys }))).rejects.toThrow(
      'no key ring',
    );
  });

  it('does not start with options that would make it weak', async () => {
    const options = { ...issuer.options, audience: [] };
    await expect(start(AuthGuardModule.forRoot(options))).rejects.toThrow('audience');
  });

  it('says whether it can verify, for a readiness probe', async () => {
    const server = await issuer.serve();
    server.answerWith((response) => response.destroy());
    const clock = new TestClock();
    const keys = { jwksUri: server.jwksUri };
    const app = await start(AuthGuardModule.forRoot({ ...issuer.options, keys, clock }));
    const readiness = app.get(KeyReadiness);
    expect(readiness.isReady()).toBe(false);
    expect(() => readiness.checkReadiness()).toThrow('keys');
    server.answerWith(undefined);
    clock.advance(1);
    await fetch(server.jwksUri);
    while (!readiness.isReady()) await new Promise((resolve) => setImmediate(resolve));
    expect(() => readiness.checkReadiness()).not.toThrow();
    await app.close();
    await server.close();
  });

  it('lets a filter of the application render its answers, with the headers in place', async () => {
    @Catch(AuthException)
    class TeapotFilter implements ExceptionFilter<AuthException> {
      catch(exception: AuthException, host: ArgumentsHost): void {
        const reply = host.switchToHttp().getResponse<FastifyReply>();
        void reply.status(418).send({ was: exception.code, problem: exception.problem.status });
      }
    }
    const app = await start(AuthGuardModule.forRoot(issuer.options), {
      provide: APP_FILTER,
      useClass: TeapotFilter,
    });
    const response = await fetch(`${await app.getUrl()}/admin`);
    expect(response.status).toBe(418);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="urn:test:api"');
    expect(await response.json()).toEqual({ was: 'token_missing', problem: 401 });
    await app.close();
  });

  it('gives its verifier to whoever needs it elsewhere, with what it has counted', async () => {
    const other = createTestIssuer({ issuer: 'https://other.example' });
    const app = await start(
      AuthGuardModule.forRoot({ ...issuer.options, otherIssuers: [other.options] }),
    );
    const verifier = app.get(TokenVerifier);
    const principal = await verifier.verify(issuer.token({ subject: 'u9' }));
    expect(principal.subject).toBe('u9');
    await verifier.verify(other.token());
    expect(verifier.counts).toEqual({ remembered: 0, verified: 2 });
    await app.close();
  });
});
