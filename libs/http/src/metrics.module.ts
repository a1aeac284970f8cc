import { Controller, Get, Header, Injectable, Module } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { ApiExcludeController } from '@nestjs/swagger';
import { GuardMetrics, Public } from '@signet/auth-guard';
import { exposeGuardMetrics } from '@signet/auth-guard/prometheus';
import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

/** The registry behind `/metrics`. Inject it to add a metric. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();

  private readonly duration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Time to answer a request, by method, route pattern and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [this.registry],
  });

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly guard: GuardMetrics,
  ) {}

  onModuleInit(): void {
    collectDefaultMetrics({ register: this.registry });
    exposeGuardMetrics(this.guard, this.registry);
    const fastify = this.host.httpAdapter.getInstance<FastifyInstance>();
    fastify.addHook('onResponse', (request, reply, done) => {
      // The pattern, not the path: identifiers as labels would grow without bound.
      const route = request.routeOptions.url ?? 'unmatched';
      const status = String(reply.statusCode);
      this.duration.labels(request.method, route, status).observe(reply.elapsedTime / 1000);
      done();
    });
  }
}

@Controller('metrics')
@Public()
@ApiExcludeController()
class MetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  expose(): Promise<string> {
    return this.metrics.registry.metrics();
  }
}

@Module({ controllers: [MetricsController], providers: [Metrics], exports: [Metrics] })
export class MetricsModule {}
