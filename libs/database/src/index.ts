export { DatabaseModule } from './database.module.js';
export type { DatabaseOptions } from './database.module.js';
export { IdempotencyService } from './idempotency.service.js';
export type { IdempotentAnswer, IdempotentRequest } from './idempotency.service.js';
export { IdempotencyKey, Idempotent } from './idempotent.decorator.js';
export { idempotencyKeys } from './schema.js';
export { InjectDatabase, InjectPool } from './tokens.js';
export type { Database, Transaction } from './tokens.js';
