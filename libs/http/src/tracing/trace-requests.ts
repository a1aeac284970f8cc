import {
  context,
  isSpanContextValid,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Context, Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { isProbe, loggablePath } from '../request-path.js';
import { newTrace } from './trace-context.js';

const tracer = trace.getTracer('@signet/http');

/** Where the trace of a request is kept for what runs outside of its promises. */
const CONTEXTS = new WeakMap<IncomingMessage, Context>();

/**
 * Lets each request go on in the trace that it came in, or in a new one. Where spans are recorded it is
 * one itself, named after the route. Comes before whatever logs.
 */
export function traceRequests(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, _reply, done) => {
    const active = isProbe(request.raw) ? context.active() : begin(request);
    CONTEXTS.set(request.raw, active);
    context.with(active, done);
  });
  // The body arrives in events of the socket, which know nothing of the request.
  fastify.addHook('preValidation', (request, _reply, done) => {
    context.with(CONTEXTS.get(request.raw) ?? context.active(), done);
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    const active = CONTEXTS.get(request.raw);
    const span = active && trace.getSpan(active);
    if (span?.isRecording()) end(span, reply);
    done();
  });
}

/** The id of the trace that a request belongs to; undefined for probes. */
export function traceIdOf(request: IncomingMessage): string | undefined {
  const active = CONTEXTS.get(request);
  return active && trace.getSpanContext(active)?.traceId;
}

/** The id of the trace that whatever runs now belongs to. */
export function activeTraceId(): string | undefined {
  return trace.getSpanContext(context.active())?.traceId;
}

function begin(request: FastifyRequest): Context {
  const parent = propagation.extract(ROOT_CONTEXT, request.headers);
  const route = request.routeOptions.url;
  const span = tracer.startSpan(
    route === undefined ? request.method : `${request.method} ${route}`,
    {
      kind: SpanKind.SERVER,
      attributes: {
        'http.request.method': request.method,
        'url.path': loggablePath(request.raw),
        'url.scheme': request.protocol,
        ...(route === undefined ? {} : { 'http.route': route }),
      },
    },
    parent,
  );
  if (isSpanContextValid(span.spanContext())) return trace.setSpan(parent, span);
  return trace.setSpanContext(parent, newTrace());
}

function end(span: Span, { statusCode }: FastifyReply): void {
  span.setAttribute('http.response.status_code', statusCode);
  if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}
