module.exports = {
  ...require('../../tools/jest/preset-database.cjs'),
  displayName: 'database',
  rootDir: __dirname,
};
