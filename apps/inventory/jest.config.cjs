module.exports = {
  ...require('../../tools/jest/preset-database.cjs'),
  displayName: 'inventory',
  rootDir: __dirname,
};
