const { join } = require('node:path');

/** For projects whose tests need PostgreSQL: a server of their own, thrown away afterwards. */
module.exports = {
  ...require('./preset.cjs'),
  globalSetup: join(__dirname, 'database.ts'),
  globalTeardown: join(__dirname, 'database-teardown.ts'),
  testTimeout: 20_000,
};
