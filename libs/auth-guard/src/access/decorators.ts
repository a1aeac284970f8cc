import 'reflect-metadata';
import { AccessConflictError, combineAccess, mergeDeclarations } from './access.js';
import type { Access, AccessDeclaration, Caller, OptionalToken } from './access.js';

const ACCESS = Symbol.for('@signet/auth-guard:access');

type Target = abstract new (...args: never[]) => unknown;
/** Stands on a class, for all of its methods, or on a method. */
export type AccessDecorator = ClassDecorator & MethodDecorator;

/** What `@Public()` takes. */
export interface PublicOptions {
  /**
   * Looks at a token that comes along, so that `@CurrentUser()` knows who calls; it is undefined
   * without one. With `optional` a bad token is refused as on any route: a client whose token has
   * expired learns it. With `lenient` a bad token counts as none: such a client is a stranger and is
   * not told. By default tokens are not looked at.
   */
  token?: OptionalToken;
}

/** Anybody may call it, without a token. */
export function Public({ token }: PublicOptions = {}): AccessDecorator {
  return declare({ kind: 'public', ...(token ? { token } : {}) });
}

/**
 * Any valid token of a user opens it; with `'service'` any of a service, with `'any'` both. Beside
 * `@Scopes()`, says whose token the scopes are looked for in.
 */
export function Authenticated(caller: Caller = 'user'): AccessDecorator {
  return declare({ kind: 'token', caller });
}

/** A user who has one of these roles may call it. */
export function Roles(...roles: [string, ...string[]]): AccessDecorator {
  return declare({ kind: 'token', roles: names('Roles', roles) });
}

/**
 * A token with all of these scopes opens it: a service's own token, or with `@Authenticated()` beside
 * it a user's, or with `@Authenticated('any')` either.
 */
export function Scopes(...scopes: [string, ...string[]]): AccessDecorator {
  return declare({ kind: 'token', scopes: names('Scopes', scopes) });
}

/**
 * What the decorators say about one handler of a class.
 *
 * @returns undefined when they say nothing: the handler is closed
 * @throws {AccessConflictError} when class and method contradict each other
 */
export function accessOf(target: Target, handler: object): Access | undefined {
  const declarations: AccessDeclaration[] = [];
  for (
    let type: object | null = target;
    type;
    type = Object.getPrototypeOf(type) as object | null
  ) {
    const declared = ownDeclaration(type);
    if (declared) declarations.unshift(declared);
  }
  const declared = ownDeclaration(handler);
  return combineAccess(declared ? [...declarations, declared] : declarations);
}

function declare(declaration: AccessDeclaration): AccessDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const holder: unknown = key === undefined ? target : descriptor?.value;
    if (typeof holder !== 'function') {
      throw new AccessConflictError('access is declared on classes and methods only');
    }
    const merged = mergeDeclarations(ownDeclaration(holder), declaration);
    Reflect.defineMetadata(ACCESS, merged, holder);
  };
}

function ownDeclaration(holder: object): AccessDeclaration | undefined {
  return Reflect.getOwnMetadata(ACCESS, holder) as AccessDeclaration | undefined;
}

function names(decorator: string, given: readonly string[]): readonly string[] {
  const unique = [...new Set(given)];
  if (unique.length > 0 && unique.every((name) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(name))) {
    return Object.freeze(unique);
  }
  throw new AccessConflictError(`@${decorator}() expects names without spaces or quotes`);
}
