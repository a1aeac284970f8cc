import { context, propagation } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { passTraceOn } from './outgoing.js';
import { TraceContextPropagator } from './trace-context.js';

export interface TracingOptions {
  /** The service's name in traces. */
  name: string;
  /** Base URL of an OTLP collector; without one, trace ids are passed on and no span is made. */
  endpoint?: string | undefined;
}

/** Sends off what was recorded and not sent yet; gives up after a few seconds. */
export type FlushTraces = () => Promise<void>;

/** One per process, as OpenTelemetry has it. */
let started: Promise<FlushTraces> | undefined;

/**
 * Makes traces pass through this process: `context.active()` follows a request through its promises,
 * `propagation` speaks W3C Trace Context, and whatever `fetch` calls gets the headers.
 */
export function startTracing(options: TracingOptions): Promise<FlushTraces> {
  started ??= start(options);
  return started;
}

async function start({ name, endpoint }: TracingOptions): Promise<FlushTraces> {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new TraceContextPropagator());
  passTraceOn({ written: endpoint === undefined });
  if (endpoint === undefined) return () => Promise.resolve();
  const { exportTraces } = await import('./export.js');
  return exportTraces(name, endpoint);
}
