module.exports = {
  ...require('../../tools/jest/preset-database.cjs'),
  displayName: 'orders',
  rootDir: __dirname,
};
