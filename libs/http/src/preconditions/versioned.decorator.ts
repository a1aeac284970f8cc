import { applyDecorators, HttpStatus, Injectable, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import { entityTag, includesVersion, parseIfNoneMatch } from './entity-tags.js';
import type { VersionList } from './entity-tags.js';

/** What a handler under `@Versioned()` returns. */
export interface VersionedAnswer<Body> {
  /** Of what `body` shows: it changes whenever that does. */
  version: number;
  body: Body;
}

/** Marks the operation in the OpenAPI document until its headers are written out there. */
export const VERSIONED = 'x-versioned';

/** Methods whose If-None-Match asks for 304 (RFC 9110 section 13.1.2). */
const READING = new Set(['GET', 'HEAD']);

@Injectable()
class VersionedInterceptor implements NestInterceptor<VersionedAnswer<unknown>, unknown> {
  intercept(
    context: ExecutionContext,
    next: CallHandler<VersionedAnswer<unknown>>,
  ): Observable<unknown> {
    const http = context.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const known = versionsKnownTo(http.getRequest<FastifyRequest>());
    return next.handle().pipe(
      map(({ version, body }) => {
        void reply.header('etag', entityTag(version));
        // Kept, but never served without asking: what is protected by a version is changed by others.
        if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-cache');
        if (known === undefined || !includesVersion(known, version)) return body;
        void reply.status(HttpStatus.NOT_MODIFIED);
        return undefined;
      }),
    );
  }
}

/**
 * The handler returns a `VersionedAnswer`: its version becomes the ETag, and a GET whose If-None-Match
 * lists it is answered 304 without the body. On one route with `@Idempotent()`, it goes below it, and
 * the effect returns the `VersionedAnswer`.
 */
export function Versioned(): MethodDecorator {
  return applyDecorators(UseInterceptors(VersionedInterceptor), ApiExtension(VERSIONED, true));
}

function versionsKnownTo({ method, headers }: FastifyRequest): VersionList | undefined {
  const header = headers['if-none-match'];
  return header === undefined || !READING.has(method) ? undefined : parseIfNoneMatch(header);
}
