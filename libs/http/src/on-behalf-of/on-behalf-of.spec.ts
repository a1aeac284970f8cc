import { Controller, createParamDecorator, Get } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Authenticated, Public } from '@signet/auth-guard';
import fc from 'fast-check';
import { issuer, serviceOf } from '../testing/service-of.js';
import { formatOnBehalfOf, onBehalfOf, parseOnBehalfOf } from './on-behalf-of.js';
import type { RepresentedUser } from './on-behalf-of.js';

const Represented = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  onBehalfOf(context),
);

@Controller('for')
class ForController {
  @Get('whom')
  @Authenticated('any')
  whom(@Represented() user: RepresentedUser | undefined): object {
    return { user: user ?? null };
  }

  @Get('anybody')
  @Public()
  anybody(@Represented() user: RepresentedUser | undefined): object {
    return { user: user ?? null };
  }
}

describe('a service that acts for a user', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await serviceOf([ForController]);
  });
  afterAll(() => app.close());

  const ask = (path: string, said: string | undefined, token?: string) =>
    app.inject({
      url: path,
      headers: {
        ...(said === undefined ? {} : { 'signet-actor': said }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
    });

  it('names them to the service it calls', async () => {
    const said = formatOnBehalfOf({ sub: 'user-1', roles: ['admin', 'support'] });
    expect(said).toBe('sub=user-1&roles=admin+support');
    const { user } = (await ask('/for/whom', said, issuer.serviceToken())).json<{ user: object }>();
    expect(user).toEqual({ sub: 'user-1', roles: ['admin', 'support'] });
  });

  it('need not name anybody', async () => {
    const response = await ask('/for/whom', undefined, issuer.serviceToken());
    expect(response.json()).toEqual({ user: null });
  });

  it('is the only one who is believed: neither a user nor a stranger names another', async () => {
    const said = formatOnBehalfOf({ sub: 'someone-else', roles: ['admin'] });
    expect((await ask('/for/whom', said, issuer.token())).json()).toEqual({ user: null });
    expect((await ask('/for/anybody', said)).json()).toEqual({ user: null });
    const onPublic = await ask('/for/anybody', said, issuer.serviceToken());
    expect(onPublic.json()).toEqual({ user: null });
  });

  it.each([
    '',
    'user-1',
    'sub=',
    'roles=admin',
    'sub=a&sub=b',
    'sub=a&roles=x&roles=y',
    'sub=a&tenant=b',
    'sub=a%00b',
    'sub=a%0d%0ab',
    `sub=${'a'.repeat(201)}`,
    `sub=a&roles=${Array.from({ length: 33 }, (_, n) => `r${n}`).join('+')}`,
    `sub=a&roles=${'r'.repeat(65)}`,
    `sub=a&roles=${'+'.repeat(3000)}`,
    'sub=a&roles=b%09c',
  ])('is told what was expected when it says %j', async (said) => {
    const response = await ask('/for/whom', said, issuer.serviceToken());
    expect(response.json()).toMatchObject({ status: 400, code: 'invalid_signet_actor' });
  });

  it('is understood whatever the id looks like', () => {
    const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
    const sub = word.filter((text) => /^[^\p{C}]+$/u.test(text) && text.length <= 60);
    fc.assert(
      fc.property(
        sub,
        fc.array(fc.stringMatching(/^[a-z]{1,20}$/), { maxLength: 5 }),
        (id, roles) => {
          expect(parseOnBehalfOf(formatOnBehalfOf({ sub: id, roles }))).toEqual({ sub: id, roles });
        },
      ),
    );
  });
});
