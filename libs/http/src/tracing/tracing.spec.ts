import { context, propagation } from '@opentelemetry/api';
import { Body, Controller, Get, Headers, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import { serviceOf } from '../testing/service-of.js';
import { activeTraceId } from './trace-requests.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const FROM_CALLER = `00-${TRACE}-b7ad6b7169203331-01`;

/** What the second service was sent, and the trace that it runs in. */
interface Seen {
  traceparent?: string;
  tracestate?: string;
  active?: string;
}

@Controller()
@Public()
class SecondController {
  @Get('seen')
  seen(@Headers() { traceparent, tracestate }: Seen): Seen {
    return { traceparent, tracestate, active: activeTraceId() };
  }
}

let second: NestFastifyApplication;

@Controller('call')
@Public()
class FirstController {
  @Get()
  async plainly(): Promise<unknown> {
    return (await fetch(`${await second.getUrl()}/seen`)).json();
  }

  @Post()
  async withBody(@Body() _body: unknown): Promise<unknown> {
    await new Promise(setImmediate);
    return this.plainly();
  }

  @Get('by-hand')
  async byHand(): Promise<unknown> {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    return (await fetch(`${await second.getUrl()}/seen`, { headers })).json();
  }

  @Get('broken')
  broken(): never {
    throw new Error('broken');
  }
}

describe('a request to a service that calls another', () => {
  let first: NestFastifyApplication;

  beforeAll(async () => {
    first = await serviceOf([FirstController]);
    second = await serviceOf([SecondController]);
    await first.listen(0, '127.0.0.1');
    await second.listen(0, '127.0.0.1');
  });
  afterAll(() => Promise.all([first.close(), second.close()]));

  const call = async (path: string, init: RequestInit = {}): Promise<Seen> =>
    (await fetch(`${await first.getUrl()}${path}`, init)).json() as Promise<Seen>;

  it.each(['/call', '/call/by-hand'])('is one trace in both: %s', async (path) => {
    const headers = { traceparent: FROM_CALLER, tracestate: 'vendor=value' };
    expect(await call(path, { headers })).toEqual({
      traceparent: FROM_CALLER,
      tracestate: 'vendor=value',
      active: TRACE,
    });
  });

  it('is one trace in both after its body has been read', async () => {
    const headers = { traceparent: FROM_CALLER, 'content-type': 'application/json' };
    const { active } = await call('/call', { method: 'POST', body: '{}', headers });
    expect(active).toBe(TRACE);
  });

  it.each([
    undefined,
    'nonsense',
    `ff-${TRACE}-b7ad6b7169203331-01`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-b7ad6b7169203331-01-more`,
    `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`,
    `${FROM_CALLER}, ${FROM_CALLER}`,
  ])('begins a trace where it came with %s', async (traceparent) => {
    const seen = await call('/call', { headers: traceparent ? { traceparent } : {} });
    expect(seen.traceparent).toMatch(/^00-[\da-f]{32}-[\da-f]{16}-00$/);
    expect(seen.active).toBe(seen.traceparent?.split('-')[1]);
    expect(seen.active).not.toBe(TRACE);
  });

  it('is understood in a later version of the header', async () => {
    const seen = await call('/call', {
      headers: { traceparent: `01-${TRACE}-b7ad6b7169203331-01-more` },
    });
    expect(seen.traceparent).toBe(FROM_CALLER);
  });

  it('is not mixed up with those that run beside it', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => n.toString(16).padStart(32, 'a'));
    const seen = await Promise.all(
      ids.map((id) =>
        call('/call', {
          method: 'POST',
          body: '{}',
          headers: {
            traceparent: `00-${id}-b7ad6b7169203331-00`,
            'content-type': 'application/json',
          },
        }),
      ),
    );
    expect(seen.map(({ active }) => active)).toEqual(ids);
  });

  it('that breaks names its trace to the caller', async () => {
    const headers = { traceparent: FROM_CALLER };
    expect(await call('/call/broken', { headers })).toMatchObject({
      code: 'internal_error',
      traceId: TRACE,
    });
  });
});
