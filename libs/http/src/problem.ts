import { HttpException, HttpStatus } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';

/** The body of an error answer (RFC 9457 section 3), with a `code` that never changes its meaning. */
export interface ProblemDetails {
  /** `urn:signet:problem:<code>` */
  type: string;
  /** Short and the same for every occurrence of this problem. */
  title: string;
  status: number;
  /** Stable and machine-readable, in snake_case. */
  code: string;
  /** What was wrong this time, and what was expected. */
  detail?: string;
  [extension: string]: unknown;
}

export interface ProblemOptions {
  status: HttpStatus;
  code: string;
  title?: string;
  detail?: string;
  /** Seconds after which trying again makes sense: becomes the `Retry-After` header. */
  retryAfter?: number;
  /** Further members of the body, such as `errors`. */
  extensions?: Record<string, unknown>;
}

/** An error whose answer is a problem document. Services throw these and nothing else on purpose. */
export class Problem extends HttpException {
  readonly code: string;
  readonly retryAfter: number | undefined;

  constructor({ status, code, title, detail, retryAfter, extensions }: ProblemOptions) {
    const body: ProblemDetails = {
      type: problemType(code),
      title: title ?? statusTitle(status),
      status,
      code,
      ...(detail === undefined ? {} : { detail }),
      ...extensions,
    };
    super(body, status);
    this.message = detail ?? body.title;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** 404: it does not exist, or it is someone else's. The two must not be told apart. */
export function notFound(what: string): Problem {
  return new Problem({
    status: HttpStatus.NOT_FOUND,
    code: 'not_found',
    detail: `There is no such ${what}.`,
  });
}

/** 404 for a path that no route is for. */
export function nothingHere(): Problem {
  return new Problem({
    status: HttpStatus.NOT_FOUND,
    code: 'not_found',
    detail: 'There is nothing at this path.',
  });
}

export function problemType(code: string): string {
  return `urn:signet:problem:${code}`;
}

export function statusTitle(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}
