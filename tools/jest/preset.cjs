const { join } = require('node:path');

const root = join(__dirname, '../..');

/** What every project's Jest configuration starts from. */
module.exports = {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/src/**/*.spec.ts'],
  transform: { '\\.[mc]?[jt]s$': join(__dirname, 'transformer.cjs') },
  transformIgnorePatterns: [],
  moduleNameMapper: {
    '^@signet/([a-z-]+)/(testing|prometheus)$': `${root}/libs/$1/src/$2/index.ts`,
    '^@signet/database/schema$': `${root}/libs/database/src/schema.ts`,
    '^@signet/launcher$': `${root}/launcher/src/index.ts`,
    '^@signet/([a-z-]+)$': `${root}/libs/$1/src/index.ts`,
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  cacheDirectory: join(root, '.nx/jest'),
  modulePathIgnorePatterns: ['/dist/'],
};
