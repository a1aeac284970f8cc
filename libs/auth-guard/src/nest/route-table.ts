import { Injectable, RequestMethod } from '@nestjs/common';
import type { INestApplicationContext } from '@nestjs/common';
import {
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import { ApplicationConfig, MetadataScanner, ModulesContainer } from '@nestjs/core';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import { AccessConflictError } from '../access/access.js';
import type { Access } from '../access/access.js';
import { accessOf } from '../access/decorators.js';

/** One route of the application and who may call it. */
export interface Route {
  /** The controller's class name. */
  controller: string;
  /** The method's name. */
  handler: string;
  /** `GET`, `POST`, …, or `ALL`. */
  method: string;
  /** With prefixes and version, as it is served: `/v1/orders/:id`. */
  path: string;
  access: Access;
}

/** Routes that do not say who may call them. The application does not start with one. */
export class UndeclaredAccessError extends Error {
  override readonly name = 'UndeclaredAccessError';
}

type Controller = abstract new (...args: never[]) => unknown;
type Handler = (...args: never[]) => unknown;

interface FoundRoute extends Omit<Route, 'access'> {
  access?: Access;
  /** Why there is no access. */
  problem?: string;
}

/** All routes of all controllers, found as Nest's router finds them. */
@Injectable()
export class RouteTable {
  private readonly scanner = new MetadataScanner();
  private readonly paths: RoutePathFactory;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.paths = new RoutePathFactory(config);
  }

  /** @throws {UndeclaredAccessError} naming every route that does not say who may call it */
  list(): Route[] {
    const found = this.find();
    const closed = found.filter(({ access }) => access === undefined);
    if (closed.length > 0) throw new UndeclaredAccessError(describeClosed(closed));
    return found.filter((route): route is Route => route.access !== undefined);
  }

  private find(): FoundRoute[] {
    return [...this.modules.values()].flatMap((module) => {
      const modulePath = this.modulePath(module.metatype);
      return [...module.controllers.values()].flatMap(({ metatype }) =>
        this.findIn(metatype as Controller, modulePath),
      );
    });
  }

  private findIn(controller: Controller, modulePath: string | undefined): FoundRoute[] {
    const prototype = controller.prototype as Record<string, Handler>;
    return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
      const handler = prototype[name];
      if (!handler || Reflect.getMetadata(PATH_METADATA, handler) === undefined) return [];
      const requestMethod = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod;
      const access = declaredAccess(controller, handler);
      return this.pathsOf(controller, handler, { modulePath, requestMethod }).map((path) => ({
        controller: controller.name,
        handler: name,
        method: RequestMethod[requestMethod],
        path,
        ...access,
      }));
    });
  }

  private pathsOf(
    controller: Controller,
    handler: Handler,
    { modulePath, requestMethod }: { modulePath: string | undefined; requestMethod: RequestMethod },
  ): string[] {
    const versioningOptions = this.config.getVersioning();
    return pathsIn(controller).flatMap((ctrlPath) =>
      pathsIn(handler).flatMap((methodPath) =>
        this.paths.create(
          {
            ctrlPath,
            methodPath,
            modulePath,
            globalPrefix: this.config.getGlobalPrefix(),
            methodVersion: versionIn(handler),
            controllerVersion: versionIn(controller) ?? versioningOptions?.defaultVersion,
            versioningOptions,
          },
          requestMethod,
        ),
      ),
    );
  }

  /** Set by Nest's RouterModule, for this application or for all. */
  private modulePath(metatype: object): string | undefined {
    const own: unknown = Reflect.getMetadata(MODULE_PATH + this.modules.applicationId, metatype);
    return (own ?? Reflect.getMetadata(MODULE_PATH, metatype)) as string | undefined;
  }
}

/**
 * Every route of an application that uses the guard, with who may call it: for documentation, and for
 * a committed table that shows each change of access.
 *
 * @throws {UndeclaredAccessError} for an application that would not start either
 */
export function listRoutes(app: INestApplicationContext): Route[] {
  return app.get(RouteTable, { strict: false }).list();
}

function declaredAccess(controller: Controller, handler: Handler) {
  try {
    const access = accessOf(controller, handler);
    return access ? { access } : {};
  } catch (error) {
    if (error instanceof AccessConflictError) return { problem: error.message };
    throw error;
  }
}

function pathsIn(holder: Controller | Handler): string[] {
  return [Reflect.getMetadata(PATH_METADATA, holder) as string | string[]].flat();
}

function versionIn(holder: Controller | Handler): string | string[] | undefined {
  return Reflect.getMetadata(VERSION_METADATA, holder) as string | string[] | undefined;
}

function describeClosed(routes: readonly FoundRoute[]): string {
  const lines = routes.map(({ controller, handler, method, path, problem }) => {
    const reason = problem === undefined ? '' : `: ${problem}`;
    return `  ${controller}.${handler} (${method} ${path})${reason}`;
  });
  return [
    'The application does not start, because not every route says who may call it:',
    ...lines,
    'Put @Public(), @Authenticated(), @Roles(…) or @Scopes(…) on the method or its controller.',
  ].join('\n');
}
