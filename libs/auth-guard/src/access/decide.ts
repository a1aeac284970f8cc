import { InsufficientScopeError } from '../errors.js';
import type { Principal } from '../token/principal.js';
import type { Caller, TokenAccess } from './access.js';

/**
 * Whether a verified caller may use a route.
 *
 * @throws {InsufficientScopeError} saying what would be needed
 */
export function assertAccess(principal: Principal, { caller, roles, scopes }: TokenAccess): void {
  if (caller !== 'any' && principal.kind !== caller) {
    throw new InsufficientScopeError({ caller }, KIND_NEEDED[caller]);
  }
  if (roles.length > 0 && !roles.some((role) => principal.roles.includes(role))) {
    throw new InsufficientScopeError({ roles }, `Needs the role ${roles.join(' or ')}.`);
  }
  if (!scopes.every((scope) => principal.scopes.includes(scope))) {
    throw new InsufficientScopeError({ scopes }, `Needs the scope ${scopes.join(' and ')}.`);
  }
}

const KIND_NEEDED: Record<Exclude<Caller, 'any'>, string> = {
  user: "Needs a user's token; this one is a service's.",
  service: "Needs a service's own token; this one is a user's.",
};
