import { context, propagation } from '@opentelemetry/api';
import { formatOnBehalfOf, ON_BEHALF_OF_HEADER } from '@signet/http';
import type { RepresentedUser } from '@signet/http';
import {
  BrokenCircuitError,
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleType,
  retry,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  wrap,
} from 'cockatiel';
import type { IPolicy } from 'cockatiel';
import { z } from 'zod';
import { BusyError, RefusedError, UnansweredError } from './call-errors.js';
import type { Grant, ServiceTokens } from './service-tokens.js';

export interface ServiceClientOptions {
  /** Where the service is. */
  url: string;
  grant: Grant;
  /** After which a call counts as unanswered. */
  timeoutMs: number;
  /** As `timeoutMs`, for all of a call that is hurried; 3,000 by default. */
  hurriedMs?: number;
}

export interface ServiceCall<Answer extends z.ZodType> {
  method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Below the service's address, without a slash in front. */
  path: string;
  body?: unknown;
  /** Needed with POST: every call may be sent more than once. */
  idempotencyKey?: string;
  onBehalfOf?: RepresentedUser;
  /** Somebody waits for the answer: there is one try, and not for long. */
  isHurried?: boolean;
  answer: Answer;
}

/** Tries of one call; a saga that still has no answer comes again later. */
const ATTEMPTS = 2;
const CALLS_AT_ONCE = 32;
const CALLS_WAITING = 256;
const FAILURES_UNTIL_OPEN = 10;
const OPEN_MS = 5_000;
const HURRIED_MS = 3_000;
/** No service is believed that asks for more than a minute. */
const LONGEST_WAIT_SECONDS = 60;

const problem = z.looseObject({ code: z.string(), detail: z.string().optional() });

/**
 * Calls another service with a token of our own. Calls have a deadline and are sent again, after a
 * random pause, when nobody answered: they must be safe to repeat. A service that keeps failing is
 * left alone for a while, and never are more than a few dozen calls in flight. One that is busy has
 * answered: customers, who can see to that with their orders, keep nobody else from it.
 */
export class ServiceClient {
  private readonly guarded = wrap(
    circuitBreaker(handleType(UnansweredError), {
      halfOpenAfter: OPEN_MS,
      breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
    }),
    bulkhead(CALLS_AT_ONCE, CALLS_WAITING),
  );

  private readonly repeated = wrap(
    retry(handleType(UnansweredError), {
      maxAttempts: ATTEMPTS - 1,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 1_000 }),
    }),
    this.guarded,
  );

  private readonly hurried: IPolicy;

  constructor(
    private readonly tokens: ServiceTokens,
    private readonly options: ServiceClientOptions,
  ) {
    const { hurriedMs = HURRIED_MS } = options;
    this.hurried = wrap(timeout(hurriedMs, TimeoutStrategy.Aggressive), this.guarded);
  }

  /**
   * @throws {RefusedError} when the service said no
   * @throws {BusyError} when it asked to be asked later
   * @throws {UnansweredError} when it said nothing, or nothing that can be understood
   */
  async call<Answer extends z.ZodType>(call: ServiceCall<Answer>): Promise<z.infer<Answer>> {
    if (call.method === 'POST' && call.idempotencyKey === undefined) {
      throw new Error(`A POST to ${call.path} without an Idempotency-Key cannot be repeated.`);
    }
    const policy = call.isHurried ? this.hurried : this.repeated;
    try {
      return await policy.execute(() => this.callOnce(call));
    } catch (error) {
      if (error instanceof BrokenCircuitError || error instanceof BulkheadRejectedError) {
        throw new UnansweredError(`${this.options.grant.audience} is left alone: ${error.message}`);
      }
      if (error instanceof TaskCancelledError) throw unanswered(call, error.message);
      throw error;
    }
  }

  private async callOnce<Answer extends z.ZodType>(
    call: ServiceCall<Answer>,
  ): Promise<z.infer<Answer>> {
    const token = await this.tokens.get(this.options.grant);
    let response = await this.send(call, token);
    if (response.status === 401) {
      await response.body?.cancel();
      this.tokens.forget(this.options.grant, token);
      response = await this.send(call, await this.tokens.get(this.options.grant));
    }
    return this.read(call, response);
  }

  private async send(call: ServiceCall<z.ZodType>, token: string): Promise<Response> {
    const { url, timeoutMs, hurriedMs = HURRIED_MS } = this.options;
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    propagation.inject(context.active(), headers);
    if (call.idempotencyKey !== undefined) headers['idempotency-key'] = call.idempotencyKey;
    if (call.onBehalfOf) headers[ON_BEHALF_OF_HEADER] = formatOnBehalfOf(call.onBehalfOf);
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    try {
      return await fetch(new URL(call.path, `${url.replace(/\/+$/, '')}/`), {
        method: call.method,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(call.isHurried ? hurriedMs : timeoutMs),
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
    } catch (error) {
      throw unanswered(call, reasonOf(error));
    }
  }

  private async read<Answer extends z.ZodType>(
    call: ServiceCall<Answer>,
    response: Response,
  ): Promise<z.infer<Answer>> {
    const { status } = response;
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok) {
      const read = call.answer.safeParse(body);
      if (read.success) return read.data;
      throw unanswered(
        call,
        `${status} with an answer that is not understood: ${read.error.message}`,
      );
    }
    const read = problem.safeParse(body);
    const { code = 'unknown', detail = '', ...extensions } = read.data ?? {};
    if (isBusy(status, code)) throw new BusyError(`${call.path}: ${code}`, retryAfterMs(response));
    if (isForNow(status)) throw unanswered(call, `${status} ${code} ${detail}`);
    throw new RefusedError(status, code, detail, extensions);
  }
}

/** Whether asking again later can help: also when it is our own token that is not liked. */
function isForNow(status: number): boolean {
  return status >= 500 || status === 401 || status === 408;
}

function isBusy(status: number, code: string): boolean {
  return status === 429 || code === 'idempotency_key_in_use';
}

/** In seconds only: a date is for those whose clocks agree (RFC 9110 section 10.2.3). */
function retryAfterMs({ headers }: Response): number {
  const text = headers.get('retry-after') ?? '';
  return /^\d{1,9}$/.test(text) ? Math.min(Number(text), LONGEST_WAIT_SECONDS) * 1000 : 0;
}

function unanswered({ method, path }: ServiceCall<z.ZodType>, reason: string): UnansweredError {
  return new UnansweredError(`${method} ${path}: ${reason}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
