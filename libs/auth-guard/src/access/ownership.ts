import type { Principal } from '../token/principal.js';

/** Whose something is. With several issuers an id alone does not say it. */
export type Owner =
  | string
  | {
      /** `iss` of the owner's tokens. */
      issuer: string;
      /** `sub` of the owner's tokens. */
      subject: string;
    };

/**
 * Whether a caller owns something, or has a role that opens everybody's. Answer 404 when not, as for what
 * does not exist, so that nobody learns which ids do.
 *
 * Only users own: a service has no roles and owns nothing, whatever its id.
 *
 * @example
 * if (!isOwnerOr(user, order.customerId, 'support', 'admin')) throw new NotFoundException();
 *
 * @param owner the user's id (`principal.subject`); nobody owns what has none
 */
export function isOwnerOr(
  principal: Principal,
  owner: Owner | null | undefined,
  ...roles: readonly string[]
): boolean {
  if (principal.kind !== 'user') return false;
  return owns(principal, owner) || roles.some((role) => principal.roles.includes(role));
}

function owns({ issuer, subject }: Principal, owner: Owner | null | undefined): boolean {
  if (typeof owner === 'string') return owner !== '' && owner === subject;
  return owner?.subject === subject && owner.issuer === issuer;
}
