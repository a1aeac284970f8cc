import { HttpStatus, StandardSchemaValidationPipe } from '@nestjs/common';
import { Problem } from './problem.js';

type Issue = Parameters<
  NonNullable<
    NonNullable<ConstructorParameters<typeof StandardSchemaValidationPipe>[0]>['exceptionFactory']
  >
>[0][number];

/** How many mistakes one answer lists: enough to mend a form, too few to be used as an amplifier. */
const LISTED_ISSUES = 20;

/** Names that reach an object's prototype. */
const REFUSED_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Checks `@Body({ schema })`, `@Query({ schema })` and `@Param({ schema })` and hands the parsed value
 * to the route. A bad value is a 400 that lists every mistake with its JSON Pointer (RFC 6901).
 */
export function validationPipe(): StandardSchemaValidationPipe {
  return new ValidationPipe({
    exceptionFactory: (issues) =>
      new Problem({
        status: HttpStatus.BAD_REQUEST,
        code: 'validation_failed',
        title: 'The request is not valid',
        detail: issues.slice(0, LISTED_ISSUES).map(sentence).join('; '),
        extensions: {
          errors: issues
            .slice(0, LISTED_ISSUES)
            .map((issue) => ({ pointer: pointer(issue), detail: issue.message })),
        },
      }),
  });
}

class ValidationPipe extends StandardSchemaValidationPipe {
  /** Nest would take such members out and read the rest, as if they had not been sent. */
  protected override stripProtoKeys(value: unknown): void {
    const path = findRefused(value);
    if (path) throw this.exceptionFactory([{ path, message: 'is not accepted as a name' }]);
  }
}

/** @returns the path of the first member that has such a name */
function findRefused(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    if (REFUSED_NAMES.has(name)) return [name];
    const within = findRefused(inner);
    if (within) return [name, ...within];
  }
  return undefined;
}

function sentence(issue: Issue): string {
  const path = segments(issue).join('.');
  return path === '' ? issue.message : `${path}: ${issue.message}`;
}

function pointer(issue: Issue): string {
  return segments(issue)
    .map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('');
}

function segments(issue: Issue): string[] {
  return (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
}
