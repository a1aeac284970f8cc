import 'reflect-metadata';
import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { AuthGuard, PassportModule, PassportStrategy } from '@nestjs/passport';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Authenticated, AuthGuardModule } from '@signet/auth-guard';
import { passportJwtSecret } from 'jwks-rsa';
import { ExtractJwt, Strategy } from 'passport-jwt';

/** The same application behind different guards. */
export const VARIANTS = ['open', 'pass', 'auth-guard', 'passport'] as const;

export type Variant = (typeof VARIANTS)[number];

export interface ServerOptions {
  variant: Variant;
  issuer: string;
  audience: string;
  jwksUri: string;
}

// Node runs TypeScript without decorators' syntax; as calls they do the same.

class OrdersController {
  list(): object {
    return { items: [], nextCursor: null };
  }
}
const handler = Object.getOwnPropertyDescriptor(OrdersController.prototype, 'list') ?? {};
Controller('orders')(OrdersController);
Get()(OrdersController.prototype, 'list', handler);

/** A guard that does nothing: what is left is what Nest's guard stage costs. */
class PassGuard {
  canActivate(): boolean {
    return true;
  }
}
Injectable()(PassGuard);

class AppModule {
  readonly name = 'orders';
}
Module({})(AppModule);

/** @returns the port of 127.0.0.1 that it listens on */
export async function startApplication(options: ServerOptions): Promise<number> {
  const app = await NestFactory.create(moduleOf(options), new FastifyAdapter(), {
    logger: ['error'],
  });
  await app.listen(0, '127.0.0.1');
  return Number(new URL(await app.getUrl()).port);
}

function moduleOf(options: ServerOptions): DynamicModule {
  return { module: AppModule, controllers: [OrdersController], ...guardedBy(options) };
}

function guardedBy(options: ServerOptions): Partial<DynamicModule> {
  const { variant, issuer, audience, jwksUri } = options;
  switch (variant) {
    case 'open':
      return {};
    case 'pass':
      return { providers: [{ provide: APP_GUARD, useClass: PassGuard }] };
    case 'auth-guard':
      Authenticated()(OrdersController);
      return { imports: [AuthGuardModule.forRoot({ issuer, audience, keys: { jwksUri } })] };
    case 'passport':
      UseGuards(AuthGuard('jwt'))(OrdersController);
      return { imports: [PassportModule], providers: [strategyOf(options)] };
  }
}

/** The recipe of Nest's and jwks-rsa's documentation. */
function strategyOf({ issuer, audience, jwksUri }: ServerOptions) {
  class JwtStrategy extends PassportStrategy(Strategy) {
    constructor() {
      super({
        jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
        issuer,
        audience,
        algorithms: ['RS256'],
        secretOrKeyProvider: passportJwtSecret({
          cache: true,
          rateLimit: true,
          jwksRequestsPerMinute: 5,
          jwksUri,
        }),
      });
    }

    validate(payload: object): object {
      return payload;
    }
  }
  Injectable()(JwtStrategy);
  return JwtStrategy;
}
