import { Controller, Get, Param } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Public } from '@signet/auth-guard';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { serviceOf } from '../testing/service-of.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  attributes: { key: string; value: Record<string, unknown> }[];
  status: { code?: number };
}

interface Traces {
  resourceSpans: {
    resource: { attributes: Span['attributes'] };
    scopeSpans: { spans: Span[] }[];
  }[];
}

const received: { url: string | undefined; body: Traces }[] = [];

/** What an OTLP collector is to a service. */
const collector = createServer((request, response) => {
  void text(request).then((body) => {
    received.push({ url: request.url, body: JSON.parse(body) as Traces });
    response.setHeader('content-type', 'application/json').end('{}');
  });
});

let second: NestFastifyApplication;

@Controller()
@Public()
class ThingsController {
  @Get('call/:secret')
  async call(@Param('secret') _secret: string): Promise<object> {
    const response = await fetch(`${await second.getUrl()}/things/7?token=secret`);
    return { status: response.status };
  }

  @Get('things/:id')
  broken(@Param('id') _id: string): never {
    throw new Error('broken');
  }
}

describe('the spans of a request, where a collector is configured', () => {
  const spans: Span[] = [];
  const secret = 'x'.repeat(43);

  beforeAll(async () => {
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    const { port } = collector.address() as AddressInfo;
    const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}/` };
    const first = await serviceOf([ThingsController], environment);
    second = await serviceOf([ThingsController], environment);
    await second.listen(0, '127.0.0.1');
    await first.inject({
      url: `/call/${secret}?q=${secret}`,
      headers: { traceparent: `00-${TRACE}-${PARENT}-01` },
    });
    await first.inject('/health/live');
    // A service sends off what it has before it ends.
    await first.close();
    await second.close();
    for (const { body } of received) {
      for (const { scopeSpans } of body.resourceSpans) {
        spans.push(...scopeSpans.flatMap((scope) => scope.spans));
      }
    }
  });

  afterAll(() => void collector.close());

  const named = (name: string) => spans.find((span) => span.name === name);
  const attributesOf = (span: Span | undefined) =>
    Object.fromEntries(
      (span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]),
    );

  it('arrive there under the name of the service', () => {
    expect(received[0]?.url).toBe('/v1/traces');
    const attributes = received[0]?.body.resourceSpans[0]?.resource.attributes;
    expect(attributes).toContainEqual({ key: 'service.name', value: { stringValue: 'test' } });
  });

  it('hang together: the caller, the service, its call, and the service that it calls', () => {
    const server = named('GET /call/:secret');
    const client = named('GET');
    const called = named('GET /things/:id');
    expect(spans).toHaveLength(3);
    expect(server).toMatchObject({ traceId: TRACE, parentSpanId: PARENT });
    expect(client).toMatchObject({ traceId: TRACE, parentSpanId: server?.spanId });
    expect(called).toMatchObject({ traceId: TRACE, parentSpanId: client?.spanId });
  });

  it('say how the request ended', () => {
    expect(attributesOf(named('GET /call/:secret'))).toMatchObject({
      'http.request.method': 'GET',
      'http.route': '/call/:secret',
      'http.response.status_code': expect.anything() as number,
    });
    expect(named('GET /things/:id')?.status).toEqual({ code: 2 });
  });

  it('have no query, and no token that a path has', () => {
    const all = JSON.stringify(received);
    expect(all).not.toContain(secret);
    expect(all).not.toContain('token=secret');
    expect(attributesOf(named('GET'))['url.full']).toMatch(/\/things\/7$/);
  });
});
