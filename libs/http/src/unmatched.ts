import { HttpStatus } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { nothingHere, Problem } from './problem.js';
import { answerProblem } from './problem.filter.js';

/**
 * Answers what no route is for, before a body is read: 405 with `Allow` where the path is one of ours
 * and the method is not (RFC 9110 section 15.5.6), 404 otherwise. Must know the instance before it has
 * routes; `answer()` comes after whatever logs and limits.
 */
export class UnmatchedRequests {
  private readonly methodsOf = new Map<string, Set<string>>();
  private patterns: { pattern: RegExp; methods: Set<string> }[] | undefined;

  constructor(private readonly fastify: FastifyInstance) {
    fastify.addHook('onRoute', ({ url, method }) => {
      // Where preflights of every path are answered.
      if (url === '*' || url === '/*') return;
      const methods = this.methodsOf.get(url) ?? new Set();
      for (const one of [method].flat()) methods.add(one);
      this.methodsOf.set(url, methods);
      this.patterns = undefined;
    });
  }

  answer(): void {
    this.fastify.addHook('onRequest', (request, reply, done) => {
      if (request.is404) answerProblem(this.refusal(request, reply), request, reply);
      else done();
    });
  }

  private refusal({ method, url }: FastifyRequest, reply: FastifyReply): Problem {
    const allowed = this.allowedFor(url.split('?', 1)[0] ?? '').join(', ');
    if (allowed === '') return nothingHere();
    void reply.header('allow', allowed);
    return new Problem({
      status: HttpStatus.METHOD_NOT_ALLOWED,
      code: 'method_not_allowed',
      detail: `${method} is not for this path: expected ${allowed}.`,
    });
  }

  private allowedFor(path: string): string[] {
    this.patterns ??= [...this.methodsOf].map(([url, methods]) => ({
      pattern: patternOf(url),
      methods,
    }));
    const matching = this.patterns.filter(({ pattern }) => pattern.test(path));
    return [...new Set(matching.flatMap(({ methods }) => [...methods]))].sort();
  }
}

/** Of Fastify's patterns, `/orders/:id` and `/docs/*`. */
function patternOf(url: string): RegExp {
  const source = url
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll(/:\w+/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
