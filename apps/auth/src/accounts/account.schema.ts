import { pageQuery, plainText, uuid } from '@signet/http';
import { z } from 'zod';
import { claimedPassword, email, password } from './credentials.js';
import { transport } from '../sessions/session.schema.js';
import { ROLES } from './roles.js';

const role = z.enum(ROLES);

export const registration = z.strictObject({ email, password, transport });

export const passwordChange = z.strictObject({
  currentPassword: claimedPassword,
  newPassword: password,
});

export const account = z.object({
  id: z.uuid(),
  email: z.string(),
  roles: z.array(role),
  createdAt: z.iso.datetime(),
});

export const userId = uuid;

export const user = account.extend({
  disabledAt: z.iso.datetime().nullable().describe('null while the account may be used'),
});

export const userQuery = z.strictObject({
  ...pageQuery,
  email: plainText(254).toLowerCase().optional().describe('part of the address'),
});

export const roleChange = z.strictObject({
  roles: z
    .array(role)
    .max(ROLES.length)
    .transform((roles) => ROLES.filter((name) => roles.includes(name)))
    .meta({ example: ['customer', 'warehouse'] }),
});

export type Registration = z.infer<typeof registration>;
export type PasswordChange = z.infer<typeof passwordChange>;
export type Account = z.infer<typeof account>;
export type UserView = z.infer<typeof user>;
export type UserQuery = z.infer<typeof userQuery>;
export type RoleChange = z.infer<typeof roleChange>;
