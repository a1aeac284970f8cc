import 'reflect-metadata';
import process from 'node:process';
import * as common from '@nestjs/common';
import * as core from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import * as guard from '@signet/auth-guard';
import * as testing from '@signet/auth-guard/testing';
import run from './scenario.cjs';

const platforms = { express: () => new ExpressAdapter(), fastify: () => new FastifyAdapter() };
const answers = await run({ common, core, guard, testing, platforms });
process.stdout.write(JSON.stringify(answers));
