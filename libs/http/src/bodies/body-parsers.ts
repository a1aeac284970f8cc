import { HttpStatus } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest, preParsingHookHandler } from 'fastify';
import { parse } from 'node:querystring';
import { Problem } from '../problem.js';
import { whyRefused, whyTooDeep } from './json-text.js';
import { MEDIA_TYPES } from './takes.decorator.js';
import type { BodyKind } from './takes.decorator.js';

/** More fields than any form of ours has. */
const MOST_FIELDS = 50;

type ReadJson = (
  request: FastifyRequest,
  text: string,
  done: (error: Error | null, value?: unknown) => void,
) => void;

/**
 * Replaces Fastify's body parsers and Nest's. A route gets the one kind of body that it takes, and
 * everything else is 415: a page of another site can send a form or plain text without asking first
 * (it is a simple request), but not JSON.
 */
export function registerBodyParsers(fastify: FastifyInstance): void {
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  const readJson: ReadJson = (request, text, done) => {
    const refused = whyTooDeep(text);
    if (refused) done(refused);
    else {
      void parseJson(request, text, (error, value) => {
        done(error && whyRefused(text, error), value);
      });
    }
  };
  fastify.removeAllContentTypeParsers();
  fastify.addHook('preParsing', refuseEncoded);
  fastify.addContentTypeParser(
    MEDIA_TYPES.json,
    { parseAs: 'buffer' },
    (request: FastifyRequest & { rawBody?: Buffer }, body: Buffer, done) => {
      const kind = kindOf(request);
      if (kind === 'json') readJson(request, body.toString(), done);
      else if (kind === 'form') done(unsupportedMediaType(request));
      else {
        request.rawBody = body;
        done(null);
      }
    },
  );
  fastify.addContentTypeParser(
    MEDIA_TYPES.form,
    { parseAs: 'string' },
    (request, body: string, done) => {
      if (kindOf(request) !== 'form') done(unsupportedMediaType(request));
      else done(null, parse(body, '&', '=', { maxKeys: MOST_FIELDS }));
    },
  );
}

/** Nothing here unpacks: what is small on the wire may be of any size. */
const refuseEncoded: preParsingHookHandler = (request, reply, payload, done) => {
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding.toLowerCase() === 'identity') {
    done(null, payload);
    return;
  }
  // RFC 9110 section 15.5.16
  void reply.header('accept-encoding', 'identity');
  done(
    new Problem({
      status: HttpStatus.UNSUPPORTED_MEDIA_TYPE,
      code: 'unsupported_content_encoding',
      detail: 'Content-Encoding: expected none.',
    }),
  );
};

/** 415: the body is not what the route takes. */
export function unsupportedMediaType(request: FastifyRequest): Problem {
  return new Problem({
    status: HttpStatus.UNSUPPORTED_MEDIA_TYPE,
    code: 'unsupported_media_type',
    detail: `Content-Type: expected ${MEDIA_TYPES[kindOf(request)]}.`,
  });
}

function kindOf(request: FastifyRequest): BodyKind {
  return request.routeOptions.config.takes ?? 'json';
}
