import { Body, Controller, Get, Put } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import fc from 'fast-check';
import { z } from 'zod';
import { Returns } from '../returns.decorator.js';
import { serviceOf } from '../testing/service-of.js';
import { assertMatches, entityTag, parseIfMatch } from './entity-tags.js';
import type { VersionList } from './entity-tags.js';
import { IfMatch } from './if-match.decorator.js';
import { Versioned } from './versioned.decorator.js';
import type { VersionedAnswer } from './versioned.decorator.js';

const thing = z.object({ name: z.string() });
type Thing = z.infer<typeof thing>;

let stored: VersionedAnswer<Thing & { secret: string }>;

@Controller('thing')
@Public()
class ThingController {
  @Get()
  @Versioned()
  @Returns(200, thing)
  read(): VersionedAnswer<Thing> {
    return stored;
  }

  @Put()
  @Versioned()
  @Returns(200, thing)
  replace(
    @Body({ schema: thing }) body: Thing,
    @IfMatch() ifMatch: VersionList | undefined,
  ): VersionedAnswer<Thing> {
    assertMatches(ifMatch, stored.version);
    stored = { version: stored.version + 1, body: { ...body, secret: 's' } };
    return stored;
  }
}

describe('a thing with versions', () => {
  let app: NestFastifyApplication;

  beforeAll(async () => {
    app = await serviceOf([ThingController]);
  });
  afterAll(() => app.close());
  beforeEach(() => (stored = { version: 7, body: { name: 'mug', secret: 's' } }));

  const read = (ifNoneMatch?: string) =>
    app.inject({ url: '/thing', headers: ifNoneMatch ? { 'if-none-match': ifNoneMatch } : {} });
  const replace = (ifMatch?: string) =>
    app.inject({
      method: 'PUT',
      url: '/thing',
      payload: { name: 'cup' },
      headers: ifMatch === undefined ? {} : { 'if-match': ifMatch },
    });

  it('is read with its entity tag, and may be kept but not served without asking', async () => {
    const { headers, json } = await read();
    expect(headers).toMatchObject({ etag: '"7"', 'cache-control': 'no-cache' });
    expect(json()).toEqual({ name: 'mug' });
  });

  it.each(['"7"', 'W/"7"', '"1", "7"', '"a,b" ,, W/"7"', '*'])(
    'is not sent again to who has it already: %s',
    async (tags) => {
      const { statusCode, body, headers } = await read(tags);
      expect({ statusCode, body, etag: headers.etag }).toEqual({
        statusCode: 304,
        body: '',
        etag: '"7"',
      });
    },
  );

  it.each(['"6"', '"07"', '"-7"', '"7e0"'])('is sent to who has %s', async (tags) => {
    expect((await read(tags)).statusCode).toBe(200);
  });

  it.each([undefined, '"7"', ' "7" ', '"6", "7"', ',"7",', '*'])(
    'is changed by who has seen it as it is: %s',
    async (tags) => {
      const { statusCode, headers } = await replace(tags);
      expect({ statusCode, etag: headers.etag }).toEqual({ statusCode: 200, etag: '"8"' });
    },
  );

  it.each(['"6"', 'W/"7"', '"made-up"', '""', '"7\u00e9"', '"1", W/"7"'])(
    'is left alone when it is not %s any more',
    async (tags) => {
      const response = await replace(tags);
      expect(response.statusCode).toBe(412);
      expect(response.json()).toMatchObject({ code: 'precondition_failed' });
      expect(stored.version).toBe(7);
    },
  );

  it.each([
    '',
    '7',
    '"7',
    '7"',
    "'7'",
    'w/"7"',
    'W/ "7"',
    '"7" "8"',
    '"7 "',
    '*, "7"',
    ',',
    `"${'7'.repeat(999)}"`,
  ])('is left alone and 400 says what was expected: %s', async (tags) => {
    const response = await replace(tags);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({
      code: 'invalid_if_match',
      detail: expect.stringMatching(/^If-Match: expected \* or a list of entity tags/) as string,
    });
    expect(stored.version).toBe(7);
  });

  it('answers 400 to an If-None-Match that cannot be read', async () => {
    expect((await read('7')).json()).toMatchObject({ status: 400, code: 'invalid_if_none_match' });
  });

  it('documents its headers and what they lead to', async () => {
    const { paths } = (await app.inject('/docs/json')).json<{
      paths: Record<string, Record<string, { parameters: object[]; responses: object }>>;
    }>();
    const etag = { headers: { ETag: expect.anything() as object } };
    expect(paths['/thing']?.get).toMatchObject({
      parameters: [{ name: 'If-None-Match', in: 'header' }],
      responses: { 200: etag, 304: {} },
    });
    expect(paths['/thing']?.put).toMatchObject({
      parameters: [{ name: 'If-Match', in: 'header', required: false }],
      responses: { 200: etag, 412: {} },
    });
  });
});

describe('entity tags', () => {
  it('are understood again, in any list of them', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 20 }), (versions) => {
        expect(parseIfMatch(versions.map(entityTag).join(', '))).toEqual(versions);
      }),
    );
  });

  it('are refused as a problem or read, whatever the header says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', 'W', '/', ',', ' ', '7', '*') }),
        (text) => {
          let read: VersionList;
          try {
            read = parseIfMatch(text);
          } catch (error) {
            expect(error).toMatchObject({ code: 'invalid_if_match' });
            return;
          }
          expect(read === '*' || read.every(Number.isSafeInteger)).toBe(true);
        },
      ),
    );
  });
});
