import { Controller, Get, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public, Scopes } from '@signet/auth-guard';
import { createTestIssuer } from '@signet/auth-guard/testing';
import { TakesRawBody } from './bodies/takes.decorator.js';
import { issuer, serviceOf } from './testing/service-of.js';

@Controller()
class ThingsController {
  @Get('things')
  @Public({ token: 'lenient' })
  things(): object {
    return {};
  }

  @Get('internal/things')
  @Scopes('things:read')
  internal(): object {
    return {};
  }

  @Post('webhooks')
  @Public()
  @TakesRawBody()
  webhook(): object {
    return {};
  }
}

const LIMIT = 3;

describe('how often somebody may ask', () => {
  let app: NestFastifyApplication;
  beforeEach(async () => {
    app = await serviceOf([ThingsController], { RATE_LIMIT_PER_MINUTE: String(LIMIT) });
  });
  afterEach(() => app.close());

  async function statuses(times: number, url: string, token?: string): Promise<number[]> {
    const found = new Set<number>();
    const method = url === '/webhooks' ? 'POST' : 'GET';
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    for (let n = 0; n < times; n++) {
      found.add((await app.inject({ method, url, headers })).statusCode);
    }
    return [...found];
  }

  const service = () => issuer.serviceToken({ clientId: 'orders', scopes: ['things:read'] });

  it('is a matter of the address for strangers', async () => {
    expect(await statuses(LIMIT, '/things')).toEqual([200]);
    const refused = await app.inject('/things');
    expect(refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it.each([
    ['paths that there are not', '/nothing', 404],
    ['methods that a path has not', '/internal/things?a=b', 405],
    ['what looks like a probe', '/health/nothing', 404],
  ])('is used up by asking for %s, too', async (_what, url, status) => {
    const ask = () => app.inject({ method: 'PUT', url });
    for (let n = 0; n < LIMIT; n++) expect((await ask()).statusCode).toBe(status);
    expect((await ask()).json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(await statuses(1, '/things')).toEqual([429]);
  });

  it('is not used up by what browsers ask before they ask', async () => {
    const origin = 'https://shop.example';
    const environment = { RATE_LIMIT_PER_MINUTE: String(LIMIT), CORS_ORIGINS: origin };
    const shop = await serviceOf([ThingsController], environment);
    const headers = { origin, 'access-control-request-method': 'GET' };
    for (let n = 0; n <= LIMIT; n++) {
      const preflight = await shop.inject({ method: 'OPTIONS', url: '/things', headers });
      expect(preflight.statusCode).toBe(204);
    }
    expect((await shop.inject('/things')).statusCode).toBe(200);
    await shop.close();
  });

  it('is not used up by probes, which are always answered', async () => {
    expect(await statuses(10 * LIMIT, '/health/live')).toEqual([200]);
    expect(await statuses(LIMIT + 1, '/things')).toEqual([200, 429]);
    expect(await statuses(1, '/health/ready')).toEqual([200]);
  });

  it('is counted apart for what reads the metrics, which a flood does not blind', async () => {
    expect(await statuses(LIMIT + 1, '/things')).toEqual([200, 429]);
    expect(await statuses(LIMIT, '/metrics')).toEqual([200]);
    expect(await statuses(1, '/metrics')).toEqual([429]);
  });

  it('is not, for a service of ours, nor do its calls use up what its address has', async () => {
    expect(await statuses(10 * LIMIT, '/internal/things', service())).toEqual([200]);
    expect(await statuses(10 * LIMIT, '/things', service())).toEqual([200]);
    expect(await statuses(LIMIT, '/things')).toEqual([200]);
  });

  it('has an end even for a service, which a new token does not move', async () => {
    expect(await statuses(100 * LIMIT, '/things', service())).toEqual([200]);
    expect(await statuses(1, '/things', service())).toEqual([429]);
    const other = issuer.serviceToken({ clientId: 'reports' });
    expect(await statuses(1, '/things', other)).toEqual([200]);
  });

  it.each([
    ['that somebody forged', () => forged(issuer.serviceToken())],
    ['of another issuer', () => createTestIssuer({ issuer: 'https://b.test' }).serviceToken()],
    ['of a user', () => issuer.token()],
    ['that is over', () => issuer.serviceToken({ lifetime: -3600 })],
    ['that is none', () => 'service'],
  ])('is not changed by a token %s', async (_what, token) => {
    await statuses(LIMIT, '/things', token());
    expect(await statuses(1, '/things', token())).toEqual([429]);
    expect(await statuses(1, '/things')).toEqual([429]);
  });

  it('is more for what is signed, and is counted apart', async () => {
    expect(await statuses(LIMIT + 1, '/things')).toEqual([200, 429]);
    expect(await statuses(10 * LIMIT, '/webhooks')).toEqual([201]);
    expect(await statuses(1, '/webhooks')).toEqual([429]);
  });
});

/** What it says is what was signed no more. */
function forged(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return [header, payload, Array.from(signature).reverse().join('')].join('.');
}
