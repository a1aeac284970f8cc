import { Logger } from '@nestjs/common';
import { diag, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { FlushTraces } from './tracing.js';

/** A collector that is away must not keep a service from stopping. */
const FLUSH_MS = 2_000;
const EXPORT_TIMEOUT_MS = 5_000;

/**
 * Records spans and sends them to a collector, as OTLP over HTTP. Loaded only where there is one: the
 * libraries are heavy.
 *
 * @param endpoint base URL, below which the path is `/v1/traces`
 */
export function exportTraces(name: string, endpoint: string): FlushTraces {
  diag.setLogger(faults);
  const url = `${endpoint.replace(/\/+$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({ url, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new TracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': name })),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: EXPORT_TIMEOUT_MS })],
  });
  trace.setGlobalTracerProvider(provider);
  new UndiciInstrumentation({
    // Not for what a service does all day by itself, such as following the key set.
    requireParentforSpans: true,
    // A query may hold what nobody else should read.
    requestHook: (span, { origin, path }) => {
      const url = new URL(path, origin);
      span.setAttributes({ 'url.full': `${url.origin}${url.pathname}`, 'url.query': '' });
    },
  });
  return async () => {
    await provider.forceFlush({ timeoutMillis: FLUSH_MS }).catch(() => undefined);
  };
}

const logger = new Logger('Tracing');
const ignore = (): void => undefined;

/** Spans that do not arrive are worth a line; how the libraries are doing otherwise is not. */
const faults = {
  error: (message: string) => logger.warn(message),
  warn: (message: string) => logger.warn(message),
  info: ignore,
  debug: ignore,
  verbose: ignore,
};
