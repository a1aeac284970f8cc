import type { IncomingMessage } from 'node:http';
import type { Params } from 'nestjs-pino';

/** Paths that a probe or a scraper asks for all day; logging them would bury the rest. */
const QUIET = /^\/(health|metrics)\b/;

/**
 * One JSON line per request and per event. Of a request only the method, the path and the correlation
 * id are written: no header, no query string and no body, so no token and no password can be.
 */
export function loggerOptions(name: string, level: string): Params {
  return {
    // The library's own default matches nothing on Fastify with Nest 12.
    forRoutes: ['*splat'],
    pinoHttp: {
      name,
      level,
      autoLogging: { ignore: (request) => QUIET.test(pathOf(request)) },
      customLogLevel: (_request, response, error) =>
        error || response.statusCode >= 500 ? 'error' : 'info',
      serializers: {
        req: (request: { id: unknown; raw: IncomingMessage }) => ({
          id: request.id,
          method: request.raw.method,
          path: pathOf(request.raw),
        }),
        res: (response: { statusCode: number }) => ({ statusCode: response.statusCode }),
      },
    },
  };
}

function pathOf(request: IncomingMessage & { originalUrl?: string }): string {
  return (request.originalUrl ?? request.url ?? '').split('?', 1)[0] ?? '';
}
