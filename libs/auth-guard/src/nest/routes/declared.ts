import { MetadataScanner } from '@nestjs/core';
import { AccessConflictError } from '../../access/access.js';
import type { Access } from '../../access/access.js';
import { accessOf } from '../../access/decorators.js';
import { maxRevocationAge } from '../../revocation/require-fresh.js';

export type HandlerClass = abstract new (...args: never[]) => unknown;
export type Handler = (...args: never[]) => unknown;

/** A way into the application, and what was declared about it. */
export interface FoundRoute {
  controller: string;
  handler: string;
  method: string;
  path: string;
  access?: Access;
  /** What `@RequireFresh()` says, in seconds. */
  maxRevocationAge?: number;
  /** Why there is no access, or why the one that was declared does not count. */
  problem?: string;
}

const scanner = new MetadataScanner();

/** The methods of a class, inherited ones included. */
export function handlersOf(type: HandlerClass): [name: string, handler: Handler][] {
  const prototype = type.prototype as Record<string, Handler>;
  return scanner.getAllMethodNames(prototype).flatMap((name) => {
    const handler = prototype[name];
    return handler ? [[name, handler] as [string, Handler]] : [];
  });
}

/** What the decorators say about one handler, or why they say nothing that holds. */
export function declaredAccess(
  type: HandlerClass,
  handler: Handler,
): Pick<FoundRoute, 'access' | 'maxRevocationAge' | 'problem'> {
  try {
    const access = accessOf(type, handler);
    const maxAge = maxRevocationAge(type, handler);
    return access ? { access, ...(maxAge !== undefined && { maxRevocationAge: maxAge }) } : {};
  } catch (error) {
    if (error instanceof AccessConflictError) return { problem: error.message };
    throw error;
  }
}
