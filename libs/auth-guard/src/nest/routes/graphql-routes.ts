import type { ModulesContainer } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import { declaredAccess, handlersOf } from './declared.js';
import type { FoundRoute, Handler, HandlerClass } from './declared.js';

// Metadata of @nestjs/graphql, which need not be installed.
const RESOLVER_TYPE = 'graphql:resolver_type';
const RESOLVER_NAME = 'graphql:resolver_name';
const IS_FIELD = 'graphql:resolve_property';
const IS_REFERENCE = 'graphql:resolve_reference';
const MODULE_OPTIONS = 'GqlModuleOptions';
/** Tells which type an object has; Nest never puts guards before it. */
const TYPE_RESOLVER = '__resolveType';

const OPERATIONS: ReadonlySet<string> = new Set(['QUERY', 'MUTATION', 'SUBSCRIPTION']);

const UNGUARDED =
  "GraphQL does not ask who may have a field: set fieldResolverEnhancers: ['guards'], or declare access on queries alone";

/**
 * The operations that a module's resolvers offer, and the fields that are guarded by themselves.
 *
 * A field is reached through an operation that let the caller in, and Nest puts no guard before it
 * unless `fieldResolverEnhancers` has `guards`. So without that a field says nothing and belongs to
 * its operation, and one that does say something is an error, since nobody would listen. With it, each
 * field must say who may have it. References of a federation are asked for directly, and count as
 * operations.
 */
export function graphqlRoutesIn(module: Module, modules: ModulesContainer): FoundRoute[] {
  const guarded = fieldsAreGuarded(modules);
  return resolversIn(module).flatMap((type) =>
    handlersOf(type).flatMap(([name, handler]) => {
      const way = wayOf(type, handler, name);
      if (!way) return [];
      const found = {
        controller: type.name,
        handler: name,
        ...way,
        ...declaredAccess(type, handler),
      };
      if (guarded || OPERATIONS.has(way.method)) return [found];
      const silent = found.access === undefined && found.problem === undefined;
      if (silent && way.method === 'FIELD') return [];
      return [found.access?.kind === 'public' ? found : unguarded(found)];
    }),
  );
}

function unguarded({ access: _unheard, ...found }: FoundRoute): FoundRoute {
  return { problem: UNGUARDED, ...found };
}

function wayOf(type: HandlerClass, handler: Handler, name: string) {
  const operation = String(Reflect.getMetadata(RESOLVER_TYPE, handler)).toUpperCase();
  const given: unknown = Reflect.getMetadata(RESOLVER_NAME, handler);
  const path = typeof given === 'string' ? given : name;
  if (OPERATIONS.has(operation)) return { method: operation, path };
  if (Reflect.getMetadata(IS_REFERENCE, handler)) return { method: 'REFERENCE', path: type.name };
  if (!Reflect.getMetadata(IS_FIELD, handler) || path === TYPE_RESOLVER) return undefined;
  return { method: 'FIELD', path: `${type.name}.${path}` };
}

/** Nest looks at every provider, whatever made it. */
function resolversIn({ providers }: Module): HandlerClass[] {
  return [...providers.values()].flatMap(({ isNotMetatype, metatype, instance }) => {
    const type: unknown = isNotMetatype ? (instance as object | null)?.constructor : metatype;
    return typeof type === 'function' &&
      typeof type.prototype === 'object' &&
      type.prototype !== null
      ? [type as HandlerClass]
      : [];
  });
}

function fieldsAreGuarded(modules: ModulesContainer): boolean {
  const options = [...modules.values()]
    .map(({ providers }) => providers.get(MODULE_OPTIONS)?.instance)
    .filter((instance) => typeof instance === 'object' && instance !== null)
    .map((instance) => (instance as { fieldResolverEnhancers?: string[] }).fieldResolverEnhancers);
  return options.length > 0 && options.every((enhancers) => enhancers?.includes('guards') === true);
}
