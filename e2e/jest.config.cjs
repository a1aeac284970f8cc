module.exports = {
  ...require('../tools/jest/preset.cjs'),
  displayName: 'e2e',
  rootDir: __dirname,
  testTimeout: 60_000,
  maxWorkers: 1,
};
