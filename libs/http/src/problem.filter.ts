import { Catch, HttpException, HttpStatus, Logger } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { unsupportedMediaType } from './bodies/body-parsers.js';
import { nothingHere, Problem, problemType, statusTitle } from './problem.js';
import type { ProblemDetails } from './problem.js';
import { loggable, rootCause } from './root-cause.js';
import { traceIdOf } from './tracing/trace-requests.js';
import { isUnavailable, temporarilyUnavailable } from './unavailable.js';

const INTERNAL_ERROR = 'internal_error';

/**
 * Turns whatever a request threw into problem details (RFC 9457). What is not the caller's doing
 * is logged and answered with a bare 500 whose `instance` finds the log line: no message of ours leaves
 * the service.
 */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerProblem(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Also for what Fastify refuses before Nest sees it, such as a path that cannot be decoded. */
export function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const { id } = request;
  const answered = answerTo(error, request);
  const body = describe(answered);
  if (body.code === INTERNAL_ERROR) {
    body.instance = `urn:uuid:${id}`;
    body.traceId = traceIdOf(request.raw);
    logger.error(`${id}: ${loggable(error)}`);
  } else if (answered !== error && body.status >= 500) {
    logger.warn(`${id}: ${String(rootCause(error))}`);
  }
  const retryAfter = retryAfterOf(answered);
  if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
  void reply
    .status(body.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(body));
}

const logger = new Logger('Problem');

function describe(error: unknown): ProblemDetails {
  if (error instanceof HttpException) {
    const response = error.getResponse();
    if (isProblem(response)) return response;
    const status = error.getStatus();
    return problem(status, codeOf(status), error.message);
  }
  // What Fastify itself refuses before a route runs: malformed JSON, a body that is too large, …
  const status = clientErrorStatus(error);
  if (status !== undefined) return problem(status, codeOf(status), (error as Error).message);
  return problem(HttpStatus.INTERNAL_SERVER_ERROR, INTERNAL_ERROR);
}

/** The error that the caller hears of: what lies beneath some says it better. */
function answerTo(error: unknown, request: FastifyRequest): unknown {
  if (isRefusal(error, HttpStatus.UNSUPPORTED_MEDIA_TYPE)) return unsupportedMediaType(request);
  if (isRefusal(error, HttpStatus.NOT_FOUND)) return nothingHere();
  if (error instanceof HttpException || !isUnavailable(rootCause(error))) return error;
  return temporarilyUnavailable();
}

function problem(status: number, code: string, detail?: string): ProblemDetails {
  return {
    type: problemType(code),
    title: statusTitle(status),
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
  };
}

function isProblem(response: string | object): response is ProblemDetails {
  return typeof response === 'object' && 'code' in response && 'type' in response;
}

/** A refusal of the framework's own, which does not say what was expected. */
function isRefusal(error: unknown, status: number): boolean {
  return (
    error instanceof HttpException && !(error instanceof Problem) && error.getStatus() === status
  );
}

function clientErrorStatus(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const status = Number(error.statusCode);
  return status >= 400 && status < 500 ? status : undefined;
}

/** `Payload Too Large` → `payload_too_large`. */
function codeOf(status: number): string {
  return statusTitle(status)
    .toLowerCase()
    .replace(/[^a-z]+/g, '_');
}

function retryAfterOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('retryAfter' in error)) return undefined;
  return typeof error.retryAfter === 'number' ? error.retryAfter : undefined;
}
