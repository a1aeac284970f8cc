/** The launcher as a library: what tests use to run the system, or only its database. */
export { startCrashablePostgres, type CrashablePostgres } from './postgres/crashable.ts';
export type { PostgresServer } from './postgres/server.ts';
export { startThrowAwayPostgres } from './postgres/throw-away.ts';
export type { LogLine } from './processes/log-line.ts';
export type { Failure, RunningService } from './running-service.ts';
export type { DemoAccount, DemoRole, Ports, ServiceName } from './services.ts';
export { startSystem, type ReplicaOptions, type System, type SystemOptions } from './system.ts';
