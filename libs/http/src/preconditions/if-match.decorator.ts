import { createParamDecorator, HttpStatus } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { parseIfMatch } from './entity-tags.js';
import type { VersionList } from './entity-tags.js';

const DOCUMENTED: MethodDecorator[] = [
  ApiHeader({
    name: 'If-Match',
    required: false,
    description: 'The ETag of what was read: the change is made only if it is still that.',
    schema: { type: 'string', example: '"7"' },
  }),
  ApiResponse({
    status: HttpStatus.PRECONDITION_FAILED,
    description: 'It was changed since it was read: `precondition_failed`',
  }),
];

/**
 * The versions that the caller accepts, for `assertMatches`: `@IfMatch() ifMatch: VersionList |
 * undefined`, which is undefined when the header is absent.
 *
 * @throws {Problem} 400 `invalid_if_match` when the header is malformed
 */
export const IfMatch = createParamDecorator(
  (_data: unknown, context: ExecutionContext): VersionList | undefined => {
    const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
    return header === undefined ? undefined : parseIfMatch(header);
  },
  [document],
);

function document(target: object, key: string | symbol | undefined): void {
  const descriptor = key && Object.getOwnPropertyDescriptor(target, key);
  if (!descriptor) return;
  for (const decorate of DOCUMENTED) decorate(target, key, descriptor);
}
