import { Controller, Get } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import { connect } from 'node:net';
import { serviceOf } from './testing/service-of.js';

@Controller()
class ThingsController {
  @Get('things')
  @Public()
  read(): object {
    return {};
  }
}

describe('what is not a request that can be read', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await serviceOf([ThingsController]);
    await app.listen(0, '127.0.0.1');
  });
  afterAll(() => app.close());

  const sent = async (text: string) => {
    const socket = connect(Number(new URL(await app.getUrl()).port), '127.0.0.1');
    socket.end(text);
    const [head = '', body = ''] = (await socket.toArray()).join('').split('\r\n\r\n');
    expect(head).toContain('content-type: application/problem+json');
    return JSON.parse(body) as unknown;
  };

  it('is answered with problem details when its headers are too large', async () => {
    const request = `GET /things HTTP/1.1\r\nHost: a\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`;
    const title = 'Request Header Fields Too Large';
    expect(await sent(request)).toMatchObject({ status: 431, code: 'headers_too_large', title });
  });

  it('is answered with problem details when it is not HTTP', async () => {
    expect(await sent('hello\r\n\r\n')).toMatchObject({ status: 400, code: 'bad_request' });
  });
});
