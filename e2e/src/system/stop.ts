import { stop } from './start.ts';

/** Jest's globalTeardown. */
export default stop;
