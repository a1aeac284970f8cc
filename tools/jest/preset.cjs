const { join } = require('node:path');

const root = join(__dirname, '../..');

/** What every project's Jest configuration starts from. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  transform: { '\\.[mc]?[jt]s$': join(__dirname, 'transformer.cjs') },
  transformIgnorePatterns: [],
  moduleNameMapper: {
    '^@signet/auth-guard/testing$': `${root}/libs/auth-guard/src/testing/index.ts`,
    '^@signet/launcher$': `${root}/launcher/src/index.ts`,
    '^@signet/([a-z-]+)$': `${root}/libs/$1/src/index.ts`,
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  cacheDirectory: join(root, '.nx/jest'),
  modulePathIgnorePatterns: ['/dist/'],
};
