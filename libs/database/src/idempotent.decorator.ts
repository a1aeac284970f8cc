import {
  applyDecorators,
  createParamDecorator,
  HttpStatus,
  Injectable,
  UseInterceptors,
} from '@nestjs/common';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { principalOf } from '@signet/auth-guard';
import { Problem } from '@signet/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { map } from 'rxjs';
import type { Observable } from 'rxjs';
import type { IdempotentAnswer, IdempotentRequest } from './idempotency.service.js';

/** Printable ASCII, as the header's grammar allows, and short enough for an index. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/** A UUID is the same in capitals (RFC 9562 section 4), and PostgreSQL finds the same row for it. */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Sends an `IdempotentAnswer`: its body, and `Idempotent-Replayed: true` when it is a stored one. */
@Injectable()
class IdempotentInterceptor implements NestInterceptor<IdempotentAnswer, unknown> {
  intercept(context: ExecutionContext, next: CallHandler<IdempotentAnswer>): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((answer) => {
        void reply.status(answer.status);
        if (answer.replayed) void reply.header('idempotent-replayed', 'true');
        return answer.body;
      }),
    );
  }
}

/** The route demands an Idempotency-Key and returns an `IdempotentAnswer`. */
export function Idempotent(): MethodDecorator {
  return applyDecorators(
    UseInterceptors(IdempotentInterceptor),
    ApiHeader({
      name: 'Idempotency-Key',
      required: true,
      description: 'Any unique text of up to 255 characters. A repetition gets the first answer.',
    }),
    ApiResponse({
      status: HttpStatus.CONFLICT,
      description:
        'The first request with this key is still running (`idempotency_key_in_use`), or as things are now ' +
        'this cannot be done, as `code` says',
    }),
    ApiResponse({
      status: HttpStatus.UNPROCESSABLE_ENTITY,
      description:
        'The key came with another body or If-Match before (`idempotency_key_reused`), or what is asked for ' +
        'cannot be had, as `code` says',
    }),
  );
}

/**
 * The caller's idempotent request. `status` is what a first success answers with.
 *
 * @throws {Problem} 400 `idempotency_key_required` when the header is missing or malformed
 */
export const IdempotencyKey = createParamDecorator(
  (status: number, context: ExecutionContext): IdempotentRequest => {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw new Problem({
        status: HttpStatus.BAD_REQUEST,
        code: 'idempotency_key_required',
        detail: 'Idempotency-Key: expected a header of 1 to 255 printable characters.',
      });
    }
    return {
      scope: `${principalOf(context).subject} ${request.method} ${routeOf(request)}`,
      key,
      fingerprint: fingerprintOf(request),
      status,
    };
  },
);

/** The path of the route, not the one that was sent: one path can be written in many ways. */
function routeOf({ routeOptions, params }: FastifyRequest): string {
  const values = params as Record<string, string>;
  return (routeOptions.url ?? '').replace(/:(\w+)/g, (_all, name: string) => {
    const value = values[name] ?? '';
    return encodeURIComponent(UUID.test(value) ? value.toLowerCase() : value);
  });
}

/** Of the body, and of the version that it is meant for if the caller says one. */
function fingerprintOf({ body, headers }: FastifyRequest): string {
  const hash = createHash('sha256').update(JSON.stringify(body ?? null));
  const ifMatch = headers['if-match'];
  return (ifMatch === undefined ? hash : hash.update(`\n${ifMatch}`)).digest('base64url');
}
