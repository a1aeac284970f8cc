import { applyDecorators, HttpCode, SerializeOptions } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { z } from 'zod';

/**
 * What a route answers when it succeeds: the status, and the schema of the body. The schema documents
 * the route, and the answer passes through it, so that a column added to a table never leaks.
 */
export function Returns(status: number, schema?: z.ZodType, description = ''): MethodDecorator {
  if (!schema) return applyDecorators(HttpCode(status), ApiResponse({ status, description }));
  return applyDecorators(
    HttpCode(status),
    SerializeOptions({ schema }),
    ApiResponse({ status, description, standardSchema: schema }),
  );
}
