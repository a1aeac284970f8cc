import { Controller, Get, Req, UseGuards } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { AuthGuardModule, Public } from '../index.js';
import type { Principal } from '../index.js';
import { createTestIssuer } from '../testing/index.js';

const issuer = createTestIssuer();

/** An application that was written for Passport: the route opens to `AuthGuard('jwt')` alone. */
@Controller('me')
@Public()
class MeController {
  @Get()
  @UseGuards(AuthGuard('jwt'))
  me(@Req() request: { user: Principal }): object {
    return { subject: request.user.subject, roles: request.user.roles };
  }
}

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])("AuthGuard('jwt') on %s", (_name, adapter) => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [AuthGuardModule.forRoot(issuer.options)],
      controllers: [MeController],
    }).compile();
    app = module.createNestApplication(adapter());
    await app.listen(0, '127.0.0.1');
    url = `${await app.getUrl()}/me`;
  });

  afterAll(() => app.close());

  it('lets a good token in and fills request.user', async () => {
    const token = issuer.token({ subject: 'u1', roles: ['customer'] });
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ subject: 'u1', roles: ['customer'] });
  });

  it('is 401 without a token', async () => {
    expect((await fetch(url)).status).toBe(401);
  });

  it.each(Object.keys(issuer.badTokens()))('is 401 for the bad token "%s"', async (kind) => {
    const token = issuer.badTokens()[kind as 'expired'];
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(401);
  });
});

describe("AuthGuard('jwt') when the keys cannot be had", () => {
  it('is 503, not 401', async () => {
    const server = await issuer.serve();
    server.answerWith((response) => response.destroy());
    const module = await Test.createTestingModule({
      imports: [AuthGuardModule.forRoot({ ...issuer.options, keys: server })],
      controllers: [MeController],
    }).compile();
    const app = module.createNestApplication(new FastifyAdapter(), { logger: false });
    await app.listen(0, '127.0.0.1');
    const headers = { authorization: `Bearer ${issuer.token()}` };
    const response = await fetch(`${await app.getUrl()}/me`, { headers });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'keys_unavailable' });
    await app.close();
    await server.close();
  });
});
