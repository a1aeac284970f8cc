export { createTestDatabase } from './test-database.js';
export type { TestDatabase } from './test-database.js';
export { startTestService } from './test-service.js';
export type { TestRequest, TestService } from './test-service.js';
export { freePort, serviceProcess } from './service-process.js';
export type { ServiceProcess } from './service-process.js';
export { until } from './until.js';
