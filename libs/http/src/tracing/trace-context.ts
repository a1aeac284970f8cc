import { INVALID_SPAN_CONTEXT, isSpanContextValid, trace, TraceFlags } from '@opentelemetry/api';
import type {
  Context,
  SpanContext,
  TextMapGetter,
  TextMapPropagator,
  TextMapSetter,
  TraceState,
} from '@opentelemetry/api';
import { randomFillSync } from 'node:crypto';

const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';

/** Version, trace id, parent id, flags; a later version may go on after another dash. */
const HEADER = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;

/** What every participant must be able to pass on (section 3.3.1.5). */
const STATE = /^[\t\x20-\x7e]{1,512}$/;

/**
 * Reads and writes W3C Trace Context. Of the SDK's packages, which have one too, nothing is loaded for
 * it: they would cost each service ten megabytes while no trace is exported.
 *
 * @see https://www.w3.org/TR/trace-context/
 */
export class TraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (!span || !isSpanContextValid(span)) return;
    const flags = (span.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
    setter.set(carrier, TRACEPARENT, `00-${span.traceId}-${span.spanId}-${flags}`);
    const state = span.traceState?.serialize();
    if (state) setter.set(carrier, TRACESTATE, state);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const span = parse(getter.get(carrier, TRACEPARENT));
    if (!span) return context;
    const state = getter.get(carrier, TRACESTATE);
    const kept = typeof state === 'string' && STATE.test(state);
    return trace.setSpanContext(context, {
      ...span,
      ...(kept && { traceState: new OthersState(state) }),
    });
  }

  fields(): string[] {
    return [TRACEPARENT, TRACESTATE];
  }
}

/** What tracing systems say to themselves through us: passed on as it came. */
class OthersState implements TraceState {
  constructor(private readonly text: string) {}

  get(key: string): string | undefined {
    const member = this.text.split(',').find((one) => one.trim().startsWith(`${key}=`));
    return member?.trim().slice(key.length + 1);
  }

  set(): TraceState {
    return this;
  }

  unset(): TraceState {
    return this;
  }

  serialize(): string {
    return this.text;
  }
}

/** Begins a trace that nobody records: an id by which log lines of several services find together. */
export function newTrace(): SpanContext {
  return {
    traceId: randomId(16),
    spanId: randomId(8),
    traceFlags: TraceFlags.NONE,
  };
}

/** Fetched for many ids at once: asking for a few random bytes costs as much as for a page of them. */
const RANDOM = Buffer.alloc(4_096);
let used = RANDOM.length;

function randomId(bytes: number): string {
  if (used + bytes > RANDOM.length) {
    randomFillSync(RANDOM);
    used = 0;
  }
  return RANDOM.toString('hex', used, (used += bytes));
}

/** Undefined for a header that is malformed or came twice: the trace begins anew (section 3.2.2). */
function parse(header: unknown): SpanContext | undefined {
  const [, version, traceId, spanId, flags = '', rest] =
    typeof header === 'string' ? (HEADER.exec(header) ?? []) : [];
  if (version === undefined || version === 'ff') return undefined;
  if (version === '00' && rest !== undefined) return undefined;
  const span = {
    ...INVALID_SPAN_CONTEXT,
    ...(traceId && { traceId }),
    ...(spanId && { spanId }),
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  };
  return isSpanContextValid(span) ? span : undefined;
}
