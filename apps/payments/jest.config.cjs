module.exports = {
  ...require('../../tools/jest/preset-database.cjs'),
  displayName: 'payments',
  rootDir: __dirname,
};
