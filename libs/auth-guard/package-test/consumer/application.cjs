require('reflect-metadata');
const { ExpressAdapter } = require('@nestjs/platform-express');
const { FastifyAdapter } = require('@nestjs/platform-fastify');
const run = require('./scenario.cjs');

const packages = {
  common: require('@nestjs/common'),
  core: require('@nestjs/core'),
  guard: require('@signet/auth-guard'),
  testing: require('@signet/auth-guard/testing'),
  platforms: { express: () => new ExpressAdapter(), fastify: () => new FastifyAdapter() },
};
run(packages).then((answers) => process.stdout.write(JSON.stringify(answers)));
