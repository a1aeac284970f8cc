import { context, propagation, trace } from '@opentelemetry/api';
import { subscribe } from 'node:diagnostics_channel';

/** A request that `fetch` is about to send: undici publishes it before it writes the headers. */
interface OutgoingRequest {
  /** Name, value, name, value. */
  headers: unknown;
  addHeader(name: string, value: string): void;
}

/**
 * Gives each request of `fetch` the trace that it is made in, once: what the caller wrote by hand is
 * replaced, since a header that comes twice counts as none.
 *
 * @param written false when something else writes the headers of what is left without
 */
export function passTraceOn({ written }: { written: boolean }): void {
  subscribe('undici:request:create', (message) => {
    const active = context.active();
    if (!trace.getSpanContext(active)) return;
    const { request } = message as { request: OutgoingRequest };
    if (!Array.isArray(request.headers)) return;
    remove(request.headers, propagation.fields());
    if (!written) return;
    propagation.inject(active, request, {
      set: (carrier, name, value) => carrier.addHeader(name, value),
    });
  });
}

function remove(headers: unknown[], names: readonly string[]): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (names.includes(String(headers[at]).toLowerCase())) headers.splice(at, 2);
  }
}
