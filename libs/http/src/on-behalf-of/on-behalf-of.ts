import { HttpStatus } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { Principal } from '@signet/auth-guard';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { Problem } from '../problem.js';

/**
 * The header in which one service tells another for whom it asks. It names, for the records; it gives
 * no right, since the calling service has checked the user's and calls with its own.
 */
export const ON_BEHALF_OF_HEADER = 'signet-actor';

const MOST_CHARACTERS = 2048;
const MEMBERS = new Set(['sub', 'roles']);

const member = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{C}]*$/u, 'expected no control characters');

const user = z.strictObject({
  sub: member(200),
  roles: z.array(member(64).regex(/^\S+$/)).max(32),
});

/** A user, as a service that acts for one names them. */
export type RepresentedUser = Readonly<z.infer<typeof user>>;

/** The value of the header: `sub=8f3a&roles=admin+support`. */
export function formatOnBehalfOf({ sub, roles }: RepresentedUser): string {
  return new URLSearchParams({ sub, roles: roles.join(' ') }).toString();
}

/**
 * Reads the value of the header.
 *
 * @throws {Problem} 400 `invalid_signet_actor` when it is too long, names nobody, or names anything else
 */
export function parseOnBehalfOf(text: string): RepresentedUser {
  if (text.length > MOST_CHARACTERS) throw malformed();
  const members = new URLSearchParams(text);
  const names = [...members.keys()];
  const sound = names.every((name) => MEMBERS.has(name)) && new Set(names).size === names.length;
  const read = user.safeParse({
    sub: members.get('sub'),
    roles: members.get('roles')?.split(' ').filter(Boolean) ?? [],
  });
  if (!sound || !read.success) throw malformed();
  return read.data;
}

/**
 * For whom the calling service says that it acts. Only services are believed: whatever a user's own
 * request, or one without a token, says here counts as not said.
 *
 * @throws {Problem} 400 `invalid_signet_actor` when a service sends a value that cannot be read
 */
export function onBehalfOf(context: ExecutionContext): RepresentedUser | undefined {
  const request = context.switchToHttp().getRequest<FastifyRequest & { user?: Principal }>();
  if (request.user?.kind !== 'service') return undefined;
  const value = request.headers[ON_BEHALF_OF_HEADER];
  return typeof value === 'string' ? parseOnBehalfOf(value) : undefined;
}

function malformed(): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'invalid_signet_actor',
    detail:
      'Signet-Actor: expected sub, the id of a user, and roles, separated by spaces, as a form-encoded text.',
  });
}
