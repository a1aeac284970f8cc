import fastifyRateLimit from '@fastify/rate-limit';
import { HttpStatus } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { TokenVerifier } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.js';
import { isUnlimited } from './request-path.js';

/** How much more than a stranger those may ask who have shown, or are about to show, who they are. */
const TIMES_MORE = { address: 1, scraper: 1, signer: 10, service: 100 };

type Counted = keyof typeof TIMES_MORE;

/**
 * Counts requests by the minute, those that no route is for included; whatever answers these comes
 * after it. A service that shows a good token of its own is counted by its client id, so that what
 * services ask of each other is not taken for the flood of one address; everybody else by address, a
 * bad token or none. Signed bodies are counted apart, since providers send them in bursts and their
 * signatures are checked later, and so are readers of metrics, who are needed in a flood.
 */
export async function limitRequests(app: NestFastifyApplication, perMinute: number): Promise<void> {
  const verifier = app.get(TokenVerifier, { strict: false });
  await app.register(fastifyRateLimit, {
    global: false,
    timeWindow: '1 minute',
    allowList: (request) => !request.is404 && isUnlimited(request.url),
    keyGenerator: (request) => callerOf(request, verifier),
    max: (_request, key) => perMinute * TIMES_MORE[key.split(' ', 1)[0] as Counted],
    errorResponseBuilder: (_request, { max, ttl }) =>
      new Problem({
        status: HttpStatus.TOO_MANY_REQUESTS,
        code: 'rate_limited',
        detail: `At most ${max} requests a minute from one caller.`,
        retryAfter: Math.ceil(ttl / 1000),
      }),
  });
  limitEverything(app.getHttpAdapter().getInstance());
}

/** The plugin by itself guards routes alone, one by one as they are made. */
function limitEverything(fastify: FastifyInstance): void {
  const limit = fastify.rateLimit().bind(fastify);
  fastify.addHook('onRequest', (request, reply, done) => {
    const hasItsOwn = request.routeOptions.config.rateLimit !== undefined;
    if (hasItsOwn) done();
    else limit(request, reply).then(() => done(), done);
  });
}

function callerOf(request: FastifyRequest, verifier: TokenVerifier): string {
  const service = serviceOf(request.headers.authorization, verifier);
  if (service) return by('service', `${service.issuer} ${service.clientId}`);
  const address = fastifyRateLimit.normalizeIP(request.ip);
  return by(roleOf(request.routeOptions), address);
}

/** What the route tells of whoever asks for it. */
function roleOf({ url, config }: FastifyRequest['routeOptions']): Counted {
  if (url === '/metrics') return 'scraper';
  return config.takes === 'raw' ? 'signer' : 'address';
}

function by(counted: Counted, whom: string): string {
  return `${counted} ${whom}`;
}

/** The service whose own token this is. The guard verifies it again, and then from its cache. */
function serviceOf(authorization = '', verifier: TokenVerifier): Principal | undefined {
  const token = /^bearer +(\S+)$/i.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  try {
    const principal = verifier.verify(token);
    if (!(principal instanceof Promise)) {
      return principal.kind === 'service' ? principal : undefined;
    }
    // Its key has to be fetched first. Nobody waits for that who has not been counted.
    principal.catch(() => undefined);
  } catch {
    // The guard says what is wrong with it.
  }
  return undefined;
}
