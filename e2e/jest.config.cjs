module.exports = {
  ...require('../tools/jest/preset.cjs'),
  displayName: 'e2e',
  rootDir: __dirname,
  globalSetup: '<rootDir>/src/system/start.ts',
  globalTeardown: '<rootDir>/src/system/stop.ts',
  testTimeout: 60_000,
  maxWorkers: 1,
};
