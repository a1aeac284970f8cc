module.exports = {
  ...require('../tools/jest/preset.cjs'),
  displayName: 'launcher',
  rootDir: __dirname,
  // Real servers and processes, on machines that may be busy.
  testTimeout: 30_000,
};
