import { Module } from '@nestjs/common';
import type { DynamicModule, Provider, Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AuthGuardModule } from '@signet/auth-guard';
import { createTestIssuer } from '@signet/auth-guard/testing';
import { z } from 'zod';
import { readConfig, serviceVariables } from '../config.js';
import type { ServiceConfig } from '../config.js';
import { createService } from '../service.js';

/** Whose tokens the services of these tests believe. */
export const issuer = createTestIssuer();

/** A service that has these controllers and is ready for `inject`. */
export async function serviceOf(
  controllers: Type[],
  environment: NodeJS.ProcessEnv = {},
  providers: Provider[] = [],
): Promise<NestFastifyApplication> {
  const guard = AuthGuardModule.forRoot(issuer.options);
  const app = await unstarted({ imports: [guard], controllers, providers }, environment);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return app;
}

/** A service of this module that has not been initialised. */
export function unstarted(
  contents: Omit<DynamicModule, 'module'>,
  environment: NodeJS.ProcessEnv = {},
): Promise<NestFastifyApplication> {
  return createService({
    name: 'test',
    title: 'Test',
    description: 'For tests.',
    module: { module: TestModule, ...contents },
    config: configOf(environment),
  });
}

@Module({})
class TestModule {}

function configOf(environment: NodeJS.ProcessEnv): ServiceConfig {
  return readConfig(z.object(serviceVariables), {
    PORT: '0',
    LOG_LEVEL: 'silent',
    DATABASE_URL: 'postgres://unused',
    ...environment,
  });
}
