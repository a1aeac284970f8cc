import { gzipSync } from 'node:zlib';
import { Body, Controller, Post, RawBody } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import { z } from 'zod';
import { serviceOf } from '../testing/service-of.js';
import { TakesForm, TakesRawBody } from './takes.decorator.js';

const anything = z.record(z.string(), z.unknown());

@Controller()
@Public()
class BodiesController {
  @Post('json')
  json(@Body({ schema: anything }) body: Record<string, unknown>): object {
    return { read: body };
  }

  @Post('form')
  @TakesForm()
  form(@Body({ schema: anything }) body: Record<string, unknown>): object {
    return { read: body };
  }

  @Post('raw')
  @TakesRawBody()
  raw(@RawBody() bytes: Buffer | undefined, @Body() body: unknown): object {
    return { bytes: bytes?.toString('base64') ?? null, body: body ?? null };
  }

  @Post('nothing')
  nothing(): object {
    return { read: null };
  }
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

describe('the body of a request', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await serviceOf([BodiesController]);
  });
  afterAll(() => app.close());

  const post = (url: string, payload?: string | Buffer, type?: string, more = {}) => {
    const headers = { ...(type && { 'content-type': type }), ...more };
    return app.inject({ method: 'POST', url, payload, headers });
  };

  it.each([
    ['/json', '{"name":"mug"}', JSON_TYPE],
    ['/json', '{"name":"mug"}', 'Application/JSON; charset=utf-8'],
    ['/form', 'name=mug', FORM_TYPE],
    ['/form', 'name=mug', `${FORM_TYPE};charset=UTF-8`],
  ])('of %s is read when it is what the route takes: %s as %s', async (url, body, type) => {
    expect((await post(url, body, type)).json()).toEqual({ read: { name: 'mug' } });
  });

  it.each([
    ['/json', 'name=mug', FORM_TYPE],
    ['/json', '{"name":"mug"}', 'text/plain'],
    ['/json', '{"name":"mug"}', 'application/merge-patch+json'],
    ['/json', '{"name":"mug"}', 'application/jsonp'],
    ['/json', '{"name":"mug"}', 'nonsense'],
    ['/json', '{"name":"mug"}', undefined],
    ['/raw', 'name=mug', FORM_TYPE],
    ['/raw', '{}', 'text/plain'],
    ['/nothing', 'name=mug', FORM_TYPE],
    ['/nothing', '--a--', 'multipart/form-data; boundary=a'],
  ])('of %s is refused when it is anything but JSON: %s as %s', async (url, body, type) => {
    const response = await post(url, Buffer.from(body), type);
    expect(response.statusCode).toBe(415);
    expect(response.headers['content-type']).toMatch('application/problem+json');
    expect(response.json()).toMatchObject({
      code: 'unsupported_media_type',
      detail: 'Content-Type: expected application/json.',
    });
  });

  it('of a form is refused when it is anything but a form', async () => {
    const response = await post('/form', '{"name":"mug"}', JSON_TYPE);
    expect(response.json()).toMatchObject({
      status: 415,
      detail: 'Content-Type: expected application/x-www-form-urlencoded.',
    });
  });

  it('may be missing where none is needed', async () => {
    expect((await post('/nothing')).json()).toEqual({ read: null });
    expect((await post('/raw')).json()).toEqual({ bytes: null, body: null });
  });

  it('is kept byte for byte, and unread, where a signature is over it', async () => {
    const bytes = Buffer.from([0x7b, 0x20, 0xff, 0xfe, 0x0d, 0x0a, 0x7d]);
    expect((await post('/raw', bytes, JSON_TYPE)).json()).toEqual({
      bytes: bytes.toString('base64'),
      body: null,
    });
  });

  it('is no larger than the limit, whatever its kind', async () => {
    const large = 'x'.repeat(70_000);
    expect((await post('/raw', large, JSON_TYPE)).statusCode).toBe(413);
    expect((await post('/form', large, FORM_TYPE)).statusCode).toBe(413);
  });

  const nested = (depth: number) => `{"name":${'['.repeat(depth - 1)}1${']'.repeat(depth - 1)}}`;

  it.each([33, 30_000])('is refused when it is nested %i deep', async (depth) => {
    const refused = await post('/json', nested(depth), JSON_TYPE);
    expect(refused.json()).toMatchObject({ status: 400, code: 'json_too_deep' });
  });

  it.each([
    ['as deep as it may be', nested(32)],
    ['wide', `{"name":[${'[],'.repeat(1000)}{}]}`],
    [
      'of brackets in text',
      JSON.stringify({ name: `"${'[{'.repeat(99)}`, '\\"[': '\\'.repeat(3) }),
    ],
  ])('is read when it is %s', async (_what, json) => {
    expect((await post('/json', json, JSON_TYPE)).json()).toEqual({
      read: JSON.parse(json) as unknown,
    });
  });

  it.each(['{', '[1,]', '"', '{"name":"\\', '{"a":1}}', ']'.repeat(50)])(
    'is said to be no JSON when it is none: %s',
    async (text) => {
      const refused = await post('/json', text, JSON_TYPE);
      expect(refused.json()).toMatchObject({ status: 400, code: 'bad_request' });
    },
  );

  it('cannot bring in a prototype', async () => {
    for (const json of ['{"__proto__":{"admin":true}}', '{"constructor":{"prototype":{"a":1}}}']) {
      const refused = (await post('/json', json, JSON_TYPE)).json<{ detail: string }>();
      expect(refused).toMatchObject({ status: 400, code: 'json_member_refused' });
      expect(refused.detail).toContain('__proto__');
    }
    for (const form of ['__proto__=a', 'constructor=b', 'prototype=c']) {
      expect((await post('/form', form, FORM_TYPE)).statusCode).toBe(400);
    }
    expect(({} as { a?: string }).a).toBeUndefined();
  });

  it.each([
    ['{"constructor":"y"}', '/constructor'],
    ['{"name":{"list":[{"prototype":1}]}}', '/name/list/0/prototype'],
  ])('is refused rather than read in part: %s', async (json, pointer) => {
    expect((await post('/json', json, JSON_TYPE)).json()).toMatchObject({
      ...{ status: 400, code: 'validation_failed', errors: [{ pointer }] },
    });
  });

  it.each([
    ['/json', JSON_TYPE],
    ['/form', FORM_TYPE],
    ['/raw', JSON_TYPE],
  ])('that is compressed is 415 at %s, whatever it would be', async (url, type) => {
    const bytes = gzipSync('{"name":"mug"}');
    const refused = await post(url, bytes, type, { 'content-encoding': 'gzip' });
    expect(refused.json()).toMatchObject({ status: 415, code: 'unsupported_content_encoding' });
    expect(refused.headers['accept-encoding']).toBe('identity');
    const plain = await post(url, Buffer.from('{}'), type, { 'content-encoding': 'identity' });
    expect(plain.statusCode).toBe(201);
  });
});
