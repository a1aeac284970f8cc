module.exports = {
  ...require('../tools/jest/preset.cjs'),
  displayName: 'launcher',
  rootDir: __dirname,
};
