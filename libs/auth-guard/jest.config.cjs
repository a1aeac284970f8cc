module.exports = {
  ...require('../../tools/jest/preset.cjs'),
  displayName: 'auth-guard',
  rootDir: __dirname,
};
