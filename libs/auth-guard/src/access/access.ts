/** Whose tokens open a route: a user's, a service's own, or both. */
export type Caller = 'user' | 'service' | 'any';

/** Who may call a route, as its decorators say. */
export type Access = PublicAccess | TokenAccess;

/** Anybody. */
export interface PublicAccess {
  /** What tells it from an access that takes a token. */
  readonly kind: 'public';
  /** What happens to a token that comes along. It is not looked at when absent. */
  readonly token?: OptionalToken;
}

/**
 * What a public route does with a token: `optional` takes it and refuses a bad one; `lenient` takes a
 * bad one for none.
 */
export type OptionalToken = 'optional' | 'lenient';

/** Whoever has a good token that meets all of this. */
export interface TokenAccess {
  /** What tells it from a public access. */
  readonly kind: 'token';
  /** Whose token. */
  readonly caller: Caller;
  /** One of these is needed; none when empty. */
  readonly roles: readonly string[];
  /** All of these are needed. */
  readonly scopes: readonly string[];
}

/** What the decorators on one class or one method say. Aspects that they leave open are absent. */
export type AccessDeclaration = PublicAccess | TokenDeclaration;

export interface TokenDeclaration {
  readonly kind: 'token';
  /** Only `@Authenticated()` sets it. */
  readonly caller?: Caller;
  readonly roles?: readonly string[];
  readonly scopes?: readonly string[];
}

/** Decorators that contradict each other. */
export class AccessConflictError extends Error {
  /** The class's name, which stays when code is made smaller. */
  override readonly name = 'AccessConflictError';
}

/**
 * Combines the declarations that apply to one route, outermost first: base class, class, method.
 *
 * `@Public()` and `@Authenticated()` are complete statements: they replace what stands further out.
 * `@Roles()` and `@Scopes()` speak of one aspect each: they replace that aspect and keep the other,
 * so that a scope on a method never drops the role that its class demands.
 *
 * @returns undefined when nothing was declared: the route is closed
 * @throws {AccessConflictError}
 */
export function combineAccess(declarations: readonly AccessDeclaration[]): Access | undefined {
  const combined = declarations.reduce<AccessDeclaration | undefined>(narrow, undefined);
  if (!combined || combined.kind === 'public') return combined;
  const { roles = [], scopes = [] } = combined;
  return { kind: 'token', caller: callerOf(combined), roles, scopes };
}

/**
 * Puts two declarations on the same class or method together.
 *
 * @throws {AccessConflictError}
 */
export function mergeDeclarations(
  before: AccessDeclaration | undefined,
  added: AccessDeclaration,
): AccessDeclaration {
  if (!before) return added;
  if (before.kind === 'public' || added.kind === 'public') {
    throw new AccessConflictError('@Public() stands alone');
  }
  for (const aspect of ['caller', 'roles', 'scopes'] as const) {
    if (before[aspect] && added[aspect]) {
      throw new AccessConflictError(`the same decorator stands there twice (${aspect})`);
    }
  }
  const merged = { ...before, ...added };
  callerOf(merged);
  return merged;
}

/**
 * Says an access in a few words, for documentation and tables.
 *
 * @example
 * describeAccess(access) // 'public', 'any user', 'roles: admin or warehouse', 'scope a:b (service)'
 */
export function describeAccess(access: Access): string {
  if (access.kind === 'public') return access.token ? 'public (token optional)' : 'public';
  const { caller, roles, scopes } = access;
  const parts: string[] = [];
  if (roles.length > 0) parts.push(`${noun('role', roles)}: ${roles.join(' or ')}`);
  if (scopes.length > 0) parts.push(`${noun('scope', scopes)} ${scopes.join(' and ')}`);
  if (parts.length === 0) return caller === 'any' ? 'any user or service' : `any ${caller}`;
  return parts.join(', ') + (roles.length > 0 ? '' : ` (${CALLERS[caller]})`);
}

const CALLERS: Record<Caller, string> = {
  user: 'user',
  service: 'service',
  any: 'user or service',
};

function noun(singular: string, names: readonly string[]): string {
  return names.length === 1 && singular === 'scope' ? singular : `${singular}s`;
}

function narrow(outer: AccessDeclaration | undefined, inner: AccessDeclaration): AccessDeclaration {
  if (!outer || outer.kind === 'public' || inner.kind === 'public') return inner;
  return inner.caller ? inner : { ...outer, ...inner };
}

/** Roles are a user's. Scopes alone are a service's; say `@Authenticated()` beside them for a user's. */
function callerOf({ caller, roles, scopes }: TokenDeclaration): Caller {
  if (roles && caller === 'service') {
    throw new AccessConflictError("@Roles() is for users, @Authenticated('service') is not");
  }
  if (roles) return 'user';
  return caller ?? (scopes ? 'service' : 'user');
}
