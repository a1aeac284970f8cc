import { Module, StandardSchemaSerializerInterceptor } from '@nestjs/common';
import type { DynamicModule, Type } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuthGuardConfigurationError, UndeclaredAccessError } from '@signet/auth-guard';
import type { FastifyInstance } from 'fastify';
import { Logger, LoggerModule } from 'nestjs-pino';
import { randomUUID } from 'node:crypto';
import { registerBodyParsers } from './bodies/body-parsers.js';
import { answerClientError } from './client-error.js';
import { ConfigError } from './config.js';
import type { ServiceConfig } from './config.js';
import { HealthModule } from './health.module.js';
import { loggerOptions } from './logging.js';
import { MetricsModule } from './metrics.module.js';
import { serveDocumentation } from './openapi.js';
import type { Documentation } from './openapi.js';
import { answerProblem, ProblemFilter } from './problem.filter.js';
import { limitRequests } from './rate-limit.js';
import { traceRequests } from './tracing/trace-requests.js';
import { startTracing } from './tracing/tracing.js';
import { UnmatchedRequests } from './unmatched.js';
import { validationPipe } from './validation.js';

/** The largest body a service reads: far above any honest request of ours. */
const BODY_LIMIT_BYTES = 64 * 1024;

/** All that pages load is their own service's; over http there may be no https to upgrade that to. */
const POLICY = { directives: { upgradeInsecureRequests: null } };

export interface ServiceOptions extends Documentation {
  /** The service's name in logs, such as `orders`. */
  name: string;
  module: Type | DynamicModule;
  config: ServiceConfig;
  /** Whether pages of `CORS_ORIGINS` may send their cookies along. Not by default. */
  takesCookies?: boolean;
}

/**
 * Starts a service: everything that its `main.ts` does. Ends the process with status 1 and a message
 * that says what to mend when the service cannot start.
 */
export async function startService(options: () => ServiceOptions): Promise<void> {
  try {
    const { config, ...rest } = options();
    const app = await createService({ config, ...rest });
    app.enableShutdownHooks();
    await app.listen(config.PORT, config.HOST);
  } catch (error) {
    process.stderr.write(`${whatToMend(error)}\n`);
    process.exit(1);
  }
}

/** Makes a service ready to listen: the HTTP face that all services share around its own module. */
export async function createService(options: ServiceOptions): Promise<NestFastifyApplication> {
  const { config } = options;
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT_BYTES,
    genReqId: () => randomUUID(),
    frameworkErrors: answerProblem,
    clientErrorHandler: answerClientError,
    trustProxy: config.TRUSTED_PROXIES.length > 0 ? config.TRUSTED_PROXIES : false,
    return503OnClosing: true,
  });
  const fastify = adapter.getInstance();
  const unmatched = new UnmatchedRequests(fastify);
  await trace(options, fastify);
  const app = await NestFactory.create<NestFastifyApplication>(rootModule(options), adapter, {
    bufferLogs: true,
    bodyParser: false,
    abortOnError: false,
    routeConflictPolicy: { duplicate: 'error' },
    cors: crossOrigin(options),
  });
  app.useLogger(app.get(Logger));
  registerBodyParsers(fastify);
  app.useSecurityHeaders({ contentSecurityPolicy: POLICY });
  await limitRequests(app, config.RATE_LIMIT_PER_MINUTE);
  unmatched.answer();
  serveDocumentation(app, options);
  return app;
}

async function trace({ name, config }: ServiceOptions, fastify: FastifyInstance): Promise<void> {
  const flush = await startTracing({ name, endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT });
  traceRequests(fastify);
  fastify.addHook('onClose', flush);
}

function crossOrigin({ config, takesCookies = false }: ServiceOptions) {
  const { CORS_ORIGINS: origin } = config;
  return origin.length > 0 ? { origin, credentials: takesCookies } : false;
}

/** A message where the mistake is in the set-up, the stack where it is in the code. */
function whatToMend(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const understood =
    error instanceof ConfigError ||
    error instanceof AuthGuardConfigurationError ||
    error instanceof UndeclaredAccessError ||
    'code' in error;
  return understood ? error.message : (error.stack ?? error.message);
}

function rootModule({ name, module, config }: ServiceOptions): DynamicModule {
  return {
    module: ServiceModule,
    imports: [
      LoggerModule.forRoot(loggerOptions(name, config.LOG_LEVEL)),
      HealthModule,
      MetricsModule,
      module,
    ],
    providers: [
      { provide: APP_FILTER, useClass: ProblemFilter },
      { provide: APP_PIPE, useFactory: validationPipe },
      { provide: APP_INTERCEPTOR, useClass: StandardSchemaSerializerInterceptor },
    ],
  };
}

@Module({})
class ServiceModule {}
