import { Inject } from '@nestjs/common';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';

/** Drizzle over the service's pool, knowing the tables of `Schema`. */
export type Database<Schema extends Record<string, unknown> = Record<string, unknown>> =
  NodePgDatabase<Schema>;

/** What a repository method needs to run in the caller's transaction, or without one. */
export type Transaction<Schema extends Record<string, unknown> = Record<string, unknown>> =
  Parameters<Parameters<Database<Schema>['transaction']>[0]>[0];

export const DATABASE = Symbol('DATABASE');
export const POOL = Symbol('POOL');

/** Injects the `Database`. */
export const InjectDatabase = (): ParameterDecorator => Inject(DATABASE);

/** Injects the `pg.Pool` under it, for libraries that bring their own queries. */
export const InjectPool = (): ParameterDecorator => Inject(POOL);
