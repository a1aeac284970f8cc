import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Logger, Sse } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Registry } from 'prom-client';
import { interval, map } from 'rxjs';
import type { Observable } from 'rxjs';
import { Authenticated, AuthGuardModule, GuardMetrics, Public, Roles } from '../index.js';
import { createTestIssuer, TestClock } from '../testing/index.js';
import { exposeGuardMetrics } from './index.js';

const clock = new TestClock();
const issuer = createTestIssuer({ clock });

@Controller()
class AdminController {
  @Sse('ticks')
  @Authenticated()
  ticks(): Observable<{ data: number }> {
    return interval(20).pipe(map((data) => ({ data })));
  }

  @Get('admin')
  @Roles('admin')
  admin(): object {
    return {};
  }

  @Get('open')
  @Public({ token: 'optional' })
  open(): object {
    return {};
  }
}

it('says what became of calls, how tokens were known and how old the keys are', async () => {
  Logger.overrideLogger(false);
  const server = await issuer.serve();
  const keys = { jwksUri: server.jwksUri };
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, keys, clock })],
    controllers: [AdminController],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter());
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const call = (path: string, token?: string) =>
    fetch(`${url}${path}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  const registry = new Registry();
  exposeGuardMetrics(app.get(GuardMetrics), registry);

  const admin = issuer.token({ roles: ['admin'], subject: 'a-subject' });
  for (const token of [admin, admin, admin]) await call('/admin', token);
  await call('/admin', issuer.token());
  await call('/admin', issuer.badTokens().expired);
  await call('/admin');
  await call('/open');
  clock.advance(7);

  const lines = (await registry.metrics()).split('\n');
  for (const line of [
    'auth_guard_calls_total{kind="http",outcome="admitted",code=""} 3',
    'auth_guard_calls_total{kind="http",outcome="anonymous",code=""} 1',
    'auth_guard_calls_total{kind="http",outcome="refused",code="insufficient_scope"} 1',
    'auth_guard_calls_total{kind="http",outcome="refused",code="token_expired"} 1',
    'auth_guard_calls_total{kind="http",outcome="refused",code="token_missing"} 1',
    `auth_guard_tokens_total{issuer="${issuer.issuer}",by="memory"} 1`,
    `auth_guard_tokens_total{issuer="${issuer.issuer}",by="signature"} 3`,
    `auth_guard_key_fetches_total{issuer="${issuer.issuer}",outcome="succeeded"} 1`,
    `auth_guard_key_fetches_total{issuer="${issuer.issuer}",outcome="failed"} 0`,
    `auth_guard_keys{issuer="${issuer.issuer}"} 1`,
    `auth_guard_keys_age_seconds{issuer="${issuer.issuer}"} 7`,
    'auth_guard_connections 0',
    'auth_guard_streams 0',
  ]) {
    expect(lines).toContain(line);
  }
  // A second scrape reads the same numbers, and adds nothing to them.
  expect((await registry.metrics()).split('\n')).toEqual(lines);
  expect(lines.join('\n')).not.toContain('a-subject');
  await app.close();
  await server.close();
});

it('says how many responses go on', async () => {
  Logger.overrideLogger(false);
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, clock })],
    controllers: [AdminController],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter(), { forceCloseConnections: true });
  await app.listen(0, '127.0.0.1');
  const registry = new Registry();
  exposeGuardMetrics(app.get(GuardMetrics), registry);
  const streams = async () => /^auth_guard_streams (.*)$/m.exec(await registry.metrics())?.[1];

  try {
    const headers = { authorization: `Bearer ${issuer.token()}` };
    const response = await fetch(`${await app.getUrl()}/ticks`, { headers });
    expect(response.status).toBe(200);
    expect(await streams()).toBe('1');
    await response.body?.cancel();
    while ((await streams()) !== '0') await sleep(5);
  } finally {
    await app.close();
  }
});

it('tells failed fetches from others', async () => {
  Logger.overrideLogger(false);
  const server = await issuer.serve();
  server.answerWith((response) => response.destroy());
  const module = await Test.createTestingModule({
    imports: [
      AuthGuardModule.forRoot({ ...issuer.options, keys: { jwksUri: server.jwksUri }, clock }),
    ],
  }).compile();
  await module.init();
  expect(module.get(GuardMetrics).read().issuers).toEqual([
    {
      issuer: issuer.issuer,
      tokens: { remembered: 0, verified: 0 },
      keys: { count: 0, age: undefined, fetches: { succeeded: 0, failed: 1 } },
    },
  ]);
  await module.close();
  await server.close();
});
