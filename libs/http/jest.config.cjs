const preset = require('../../tools/jest/preset.cjs');

module.exports = {
  ...preset,
  displayName: 'http',
  rootDir: __dirname,
  transform: {
    // It loads node:http by import(), which Jest has for no CommonJS file as it is.
    '/@opentelemetry/otlp-exporter-base/.+\\.cjs$': [
      '@swc/jest',
      { module: { type: 'commonjs' }, jsc: { target: 'es2023', parser: { syntax: 'ecmascript' } } },
    ],
    ...preset.transform,
  },
};
