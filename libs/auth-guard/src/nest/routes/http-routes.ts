import { RequestMethod } from '@nestjs/common';
import {
  METHOD_METADATA,
  MODULE_PATH,
  PATH_METADATA,
  VERSION_METADATA,
} from '@nestjs/common/constants.js';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import { RoutePathFactory } from '@nestjs/core/router/route-path-factory.js';
import { declaredAccess, handlersOf } from './declared.js';
import type { FoundRoute, Handler, HandlerClass } from './declared.js';

/** Finds the routes of controllers as Nest's router finds them, with their paths as they are served. */
export class HttpRoutes {
  private readonly paths: RoutePathFactory;

  constructor(
    private readonly modules: ModulesContainer,
    private readonly config: ApplicationConfig,
  ) {
    this.paths = new RoutePathFactory(config);
  }

  findIn(module: Module): FoundRoute[] {
    const modulePath = this.modulePath(module.metatype);
    return [...module.controllers.values()].flatMap(({ metatype }) =>
      this.findInController(metatype as HandlerClass, modulePath),
    );
  }

  private findInController(controller: HandlerClass, modulePath: string | undefined): FoundRoute[] {
    return handlersOf(controller).flatMap(([name, handler]) => {
      if (Reflect.getMetadata(PATH_METADATA, handler) === undefined) return [];
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
    controller: HandlerClass,
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

function pathsIn(holder: HandlerClass | Handler): string[] {
  return [Reflect.getMetadata(PATH_METADATA, holder) as string | string[]].flat();
}

function versionIn(holder: HandlerClass | Handler): string | string[] | undefined {
  return Reflect.getMetadata(VERSION_METADATA, holder) as string | string[] | undefined;
}
