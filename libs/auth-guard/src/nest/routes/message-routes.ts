import type { Module } from '@nestjs/core/injector/module.js';
import { declaredAccess, handlersOf } from './declared.js';
import type { FoundRoute, Handler, HandlerClass } from './declared.js';

// Metadata of @nestjs/websockets and @nestjs/microservices, which need not be installed.
const IS_GATEWAY = 'websockets:is_gateway';
const IS_SUBSCRIBED = 'websockets:message_mapping';
const SUBSCRIBED_TO = 'message';
const PATTERNS = 'microservices:pattern';
const HANDLER_TYPE = 'microservices:handler_type';
const EVENT_HANDLER = 2;

/** The messages that a module's gateways and its microservice controllers take. */
export function messageRoutesIn(module: Module): FoundRoute[] {
  return [
    ...gatewaysIn(module).flatMap((gateway) => routesOf(gateway, subscriptions)),
    ...controllersIn(module).flatMap((controller) => routesOf(controller, patterns)),
  ];
}

export function gatewaysIn({ providers }: Module): HandlerClass[] {
  return [...providers.values()]
    .filter(({ isNotMetatype }) => !isNotMetatype)
    .map(({ metatype }) => metatype as HandlerClass)
    .filter((type) => Reflect.getMetadata(IS_GATEWAY, type) === true);
}

/** The controllers that take messages, possibly beside requests. */
export function messageControllersIn(module: Module): HandlerClass[] {
  return controllersIn(module).filter((type) => routesOf(type, patterns).length > 0);
}

function controllersIn({ controllers }: Module): HandlerClass[] {
  return [...controllers.values()].map(({ metatype }) => metatype as HandlerClass);
}

type Ways = (handler: Handler) => Pick<FoundRoute, 'method' | 'path'>[];

function routesOf(type: HandlerClass, ways: Ways): FoundRoute[] {
  return handlersOf(type).flatMap(([name, handler]) =>
    ways(handler).map((way) => ({
      controller: type.name,
      handler: name,
      ...way,
      ...declaredAccess(type, handler),
    })),
  );
}

function subscriptions(handler: Handler) {
  if (Reflect.getMetadata(IS_SUBSCRIBED, handler) !== true) return [];
  return [{ method: 'SOCKET', path: String(Reflect.getMetadata(SUBSCRIBED_TO, handler)) }];
}

function patterns(handler: Handler) {
  const type: unknown = Reflect.getMetadata(HANDLER_TYPE, handler);
  if (type === undefined) return [];
  const method = type === EVENT_HANDLER ? 'EVENT' : 'MESSAGE';
  const declared: unknown[] = [Reflect.getMetadata(PATTERNS, handler)].flat();
  return declared.map((pattern) => ({
    method,
    path: typeof pattern === 'string' ? pattern : JSON.stringify(pattern),
  }));
}
