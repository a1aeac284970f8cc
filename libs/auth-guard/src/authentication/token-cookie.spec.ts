import { Controller, Get, Post } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { Authenticated, AuthGuardModule } from '../index.js';
import type { TokenCookieOptions } from '../index.js';
import { createTestIssuer } from '../testing/index.js';

const issuer = createTestIssuer();
const token = issuer.token();
const NAME = '__Host-token';

@Controller()
@Authenticated()
class EffectsController {
  @Get()
  read(): string {
    return 'ok';
  }

  @Post()
  change(): string {
    return 'ok';
  }
}

async function start(cookie?: TokenCookieOptions): Promise<INestApplication> {
  const module = await Test.createTestingModule({
    imports: [AuthGuardModule.forRoot({ ...issuer.options, ...(cookie ? { cookie } : {}) })],
    controllers: [EffectsController],
  }).compile();
  const app = module.createNestApplication(new FastifyAdapter());
  await app.listen(0, '127.0.0.1');
  return app;
}

describe('a token in a cookie', () => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    app = await start({ name: NAME, origins: ['https://app.example'] });
    url = await app.getUrl();
  });

  afterAll(() => app.close());

  const call = (method: string, headers: Record<string, string>) => fetch(url, { method, headers });
  const withCookie = (headers: Record<string, string> = {}) => ({
    cookie: `theme=dark; ${NAME}=${token}`,
    ...headers,
  });

  it('is accepted for reading', async () => {
    expect((await call('GET', withCookie())).status).toBe(200);
  });

  it.each([
    ['a page of the service itself', { 'sec-fetch-site': 'same-origin' }],
    [
      'a page of an allowed origin',
      { 'sec-fetch-site': 'same-site', origin: 'https://app.example' },
    ],
    ['a browser that does not say the site', { origin: 'https://app.example' }],
  ])('is accepted for a change that comes from %s', async (_what, headers) => {
    expect((await call('POST', withCookie(headers))).status).toBe(201);
  });

  it.each<[string, Record<string, string>]>([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['a subdomain', { 'sec-fetch-site': 'same-site', origin: 'https://x.app.example' }],
    ['a sandboxed frame', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    ['a page that hides its origin', {}],
    ['an origin in other letters', { origin: 'https://APP.example' }],
  ])('is refused for a change that comes from %s', async (_what, headers) => {
    const response = await call('POST', withCookie(headers));
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'request_cross_site' });
  });

  it('does not help a bad one in the header: two are one too many', async () => {
    const headers = withCookie({ authorization: 'Bearer bad', 'sec-fetch-site': 'same-origin' });
    const response = await call('POST', headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'request_ambiguous' });
  });

  it('is not asked for beside credentials of another scheme', async () => {
    const headers = withCookie({ authorization: 'Basic dXNlcjpwYXNz' });
    expect((await call('GET', headers)).status).toBe(401);
  });

  it.each([
    ['two of them', `${NAME}=${token}; ${NAME}=${token}`, 'token_malformed'],
    ['a cookie whose name only ends alike', `x${NAME}=${token}`, 'token_missing'],
    ['a cookie without the prefix', `token=${token}`, 'token_missing'],
    ['an empty one', `${NAME}=`, 'token_malformed'],
  ])('is 401 for %s', async (_what, cookie, code) => {
    const response = await call('GET', { cookie });
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code });
  });

  it.each(['token', '__Secure-token', '__Host-', '__Host-a b'])(
    'may not be called %s, which others could set',
    async (name) => {
      await expect(start({ name })).rejects.toThrow('__Host-');
    },
  );
});

it('is not looked at unless that is asked for', async () => {
  const app = await start();
  const response = await fetch(await app.getUrl(), { headers: { cookie: `${NAME}=${token}` } });
  expect(response.status).toBe(401);
  await app.close();
});
