import { Controller, Get, Post } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Authenticated, AuthGuardModule, Public } from '../index.js';
import { createTestIssuer } from '../testing/index.js';

const issuer = createTestIssuer();
const token = issuer.token();
const other = issuer.token({ subject: 'somebody-else' });
const COOKIE = '__Host-token';

@Controller()
@Authenticated()
class EffectsController {
  static effects = 0;

  @Get()
  read(): string {
    return 'ok';
  }

  @Get('lenient')
  @Public({ token: 'lenient' })
  lenient(): string {
    return 'ok';
  }

  @Post()
  change(): string {
    EffectsController.effects += 1;
    return 'ok';
  }
}

interface Answer {
  status: number;
  challenge: string | undefined;
  code: string | undefined;
}

/** Sends header lines as they are written here; clients mend or refuse what an attacker would send. */
async function send(url: string, start: string, lines: string[], body = ''): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const length = body === '' ? [] : [`Content-Length: ${body.length}`];
  const head = [`${start} HTTP/1.1`, 'Host: x', 'Connection: close', ...length, ...lines];
  socket.end(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'latin1'));
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  const answer = Buffer.concat(chunks).toString('latin1');
  return {
    status: Number(answer.slice(9, 12)),
    challenge: /^www-authenticate: (.*)$/im.exec(answer)?.[1],
    code: /"code":"(\w+)"/.exec(answer)?.[1],
  };
}

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
])('on %s', (_name, adapter) => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    const module = await Test.createTestingModule({
      imports: [AuthGuardModule.forRoot({ ...issuer.options, cookie: { name: COOKIE } })],
      controllers: [EffectsController],
    }).compile();
    app = module.createNestApplication(adapter());
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(() => app.close());

  const FORM = 'Content-Type: application/x-www-form-urlencoded';
  const JSON_TYPE = 'Content-Type: application/json';
  const header = (value = token, name = 'Authorization') => `${name}: Bearer ${value}`;

  it.each<[string, string, string[], string?]>([
    ['in two headers', 'GET /', [header(), header(other)]],
    ['twice the same, in two headers', 'GET /', [header(), header()]],
    ['in two headers of different letters', 'GET /', [header(), header(other, 'AUTHORIZATION')]],
    ['in a header after an empty one', 'GET /', ['Authorization:', header()]],
    ['in a header before one of another scheme', 'GET /', [header(), 'Authorization: Basic eDp5']],
    ['in two headers that were joined', 'GET /', [`${header()}, Bearer ${other}`]],
    ['in the header and in the cookie', 'GET /', [header(), `Cookie: a=b; ${COOKIE}=${other}`]],
    ['in the header and in the query', `GET /?a=b&access_token=${other}`, [header()]],
    [
      'in the cookie and in the query',
      `GET /?access_token=${other}`,
      [`Cookie: ${COOKIE}=${token}`],
    ],
    ['in the header and in a form', 'POST /', [header(), FORM], `access_token=${other}`],
    ['in two headers, where a bad one would count as none', 'GET /lenient', [header(), header()]],
  ])('two tokens are 400 invalid_request: %s', async (_where, start, lines, body = '') => {
    const effects = EffectsController.effects;
    const answer = await send(url, start, lines, body);
    expect(answer).toMatchObject({ status: 400, code: 'request_ambiguous' });
    expect(answer.challenge).toMatch(/^Bearer realm="urn:test:api", error="invalid_request", /);
    expect(EffectsController.effects).toBe(effects);
  });

  it.each<[string, string, string[], string?]>([
    ['in the query', `GET /?access_token=${token}`, []],
    ['in a form', 'POST /', [FORM], `access_token=${token}`],
    ['in JSON', 'POST /', [JSON_TYPE], JSON.stringify({ access_token: token })],
    ['in a header of another name', 'GET /', [header(token, 'X-Authorization')]],
    ["in a proxy's header", 'GET /', [header(token, 'Proxy-Authorization')]],
    ['after a tab', 'GET /', [`Authorization: Bearer\t${token}`]],
    ['after a line break', 'GET /', ['Authorization: Bearer', `X: ${token}`]],
    ['in two cookies of two header lines', 'GET /', [1, 2].map(() => `Cookie: ${COOKIE}=${token}`)],
    ['in a cookie of other letters', 'GET /', [`Cookie: ${COOKIE.toUpperCase()}=${token}`]],
    ['in a cookie with a space in its name', 'GET /', [`Cookie: ${COOKIE} =${token}`]],
    ['in a cookie in quotes', 'GET /', [`Cookie: ${COOKIE}="${token}"`]],
    // A subdomain may set it: browsers protect what begins with __Host- and nothing else.
    ['in a cookie after white space that is no space', 'GET /', [`Cookie: \xa0${COOKIE}=${token}`]],
    ['in a cookie after a control character', 'GET /', [`Cookie: a=b;\x85${COOKIE}=${token}`]],
  ])('a token %s opens nothing', async (_where, start, lines, body = '') => {
    const { status, code } = await send(url, start, lines, body);
    expect(status).toBe(401);
    expect(code).toMatch(/^token_(?:missing|malformed)$/);
  });

  it.each([
    ['a space that does not break', `Bearer \xa0${token}`, 401],
    ['a tab among the spaces', `Bearer \t${token}`, 401],
    ['a NUL before it', `Bearer \0${token}`, 400],
    ['a NUL after it', `Bearer ${token}\0`, 400],
    ['a line that is folded', `Bearer\r\n ${token}`, 400],
    ['another letter after it', `Bearer ${token}\xe9`, 401],
  ])('a token with %s is not one', async (_what, value, status) => {
    expect((await send(url, 'GET /', [`Authorization: ${value}`])).status).toBe(status);
  });

  it.each([
    ['spaces before the token', `Authorization: Bearer   ${token}`],
    ['spaces and tabs after it', `Authorization: Bearer ${token} \t `],
    ['no space after the colon', `authorization:Bearer ${token}`],
    ['a scheme in other letters', `Authorization: BEARER ${token}`],
  ])('what HTTP allows is accepted: %s', async (_what, line) => {
    expect((await send(url, 'GET /', [line])).status).toBe(200);
  });

  it("a member of that name in a JSON body is the application's own", async () => {
    const body = JSON.stringify({ access_token: 'of something else' });
    expect((await send(url, 'POST /', [header(), JSON_TYPE], body)).status).toBe(201);
  });
});
