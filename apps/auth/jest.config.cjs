module.exports = {
  ...require('../../tools/jest/preset-database.cjs'),
  displayName: 'auth',
  rootDir: __dirname,
};
