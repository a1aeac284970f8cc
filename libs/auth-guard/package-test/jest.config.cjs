module.exports = {
  ...require('../../../tools/jest/preset.cjs'),
  displayName: 'auth-guard package',
  rootDir: __dirname,
  testMatch: ['<rootDir>/*.spec.ts'],
  testTimeout: 240_000,
};
