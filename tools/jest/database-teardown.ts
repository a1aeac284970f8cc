/** Jest's globalTeardown for what database.ts has started. */
export { stop as default } from './database.ts';
