import { Module } from '@nestjs/common';
import type { ModuleMetadata } from '@nestjs/common';
import { AuthGuardModule } from '@signet/auth-guard';
import type { TestIssuer } from '@signet/auth-guard/testing';
import { guardOptions, readConfig, resourceServerVariables, serviceVariables } from '@signet/http';
import { z } from 'zod';
import { DatabaseModule } from '../database.module.js';
import { migrationsOf } from './migrations-of.js';
import { startTestService } from './test-service.js';
import type { TestService } from './test-service.js';

/**
 * A service that believes `issuer` and has these controllers.
 *
 * @param tables statements that make its tables
 */
export async function startServiceOf(
  issuer: TestIssuer,
  tables: string,
  { controllers = [], imports = [] }: Pick<ModuleMetadata, 'controllers' | 'imports'>,
): Promise<TestService> {
  const migrations = await migrationsOf(tables);
  const service = await startTestService(issuer, (environment) => {
    const variables = z.object({ ...serviceVariables, ...resourceServerVariables });
    const config = readConfig(variables, { PORT: '0', ...environment });
    const database = DatabaseModule.forRoot({
      ...{ url: config.DATABASE_URL, applicationName: 'things', poolSize: 2 },
      migrations: migrations.folder,
    });

    @Module({
      imports: [database, AuthGuardModule.forRoot(guardOptions(config)), ...imports],
      controllers,
    })
    class ThingsModule {}

    return { name: 'things', title: 'Things', description: '', module: ThingsModule, config };
  });
  await migrations.remove();
  return service;
}
