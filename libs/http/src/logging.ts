import type { Params } from 'nestjs-pino';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isProbe, loggablePath } from './request-path.js';
import { activeTraceId, traceIdOf } from './tracing/trace-requests.js';

/**
 * One JSON line per request and per event. Of a request only the method, the path and the ids that it
 * is found by are written: no header, no query string, no body and nothing in the path that looks like
 * a token, so no token and no password can be.
 */
export function loggerOptions(name: string, level: string): Params {
  return {
    // The library's own default matches nothing on Fastify with Nest 12.
    forRoutes: ['*splat'],
    pinoHttp: {
      name,
      level,
      mixin: () => traceMember(activeTraceId()),
      // The last line of a request is written when its socket says so, outside of its trace.
      customSuccessObject: withTrace,
      customErrorObject: (request, response, _error, line: object) =>
        withTrace(request, response, isExpected(response) ? { ...line, err: undefined } : line),
      customErrorMessage: (_request, { statusCode }) => `request answered with ${statusCode}`,
      autoLogging: { ignore: isProbe },
      customLogLevel: (_request, response, error) => {
        if (error || response.statusCode >= 500) return isExpected(response) ? 'warn' : 'error';
        return 'info';
      },
      serializers: {
        req: (request: { id: unknown; raw: IncomingMessage }) => ({
          id: request.id,
          method: request.raw.method,
          path: loggablePath(request.raw),
        }),
        res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
      },
    },
  };
}

/** Something that we need is away: what it is stands in a line of its own, and no stack says more. */
function isExpected(response: ServerResponse): boolean {
  return response.statusCode === 503;
}

function withTrace(request: IncomingMessage, _response: ServerResponse, line: object): object {
  return { ...line, ...traceMember(traceIdOf(request)) };
}

function traceMember(traceId: string | undefined): { trace_id?: string } {
  return traceId === undefined ? {} : { trace_id: traceId };
}
