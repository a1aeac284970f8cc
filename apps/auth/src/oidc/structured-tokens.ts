import { KeysUnavailableError } from '@signet/auth-guard';
import { errors } from 'oidc-provider';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { SessionStore } from '../sessions/session-store.js';
import type { AccessTokenClaims, AccessTokens } from './access-tokens.js';
import { ROUTES } from './paths.js';
import { requester } from './requester.js';
import type { UnitOfWork } from './unit-of-work.js';

type Next = () => Promise<void>;

/** Which tokens of the engine's own, refresh tokens, a client may introspect: what it was given. */
export const introspection = {
  enabled: true,
  allowedPolicy: (_context: unknown, client: Client, token: { clientId?: string | undefined }) =>
    authenticates(client) && token.clientId === client.clientId,
};

interface Parts {
  tokens: AccessTokens;
  sessions: SessionStore;
  unit: UnitOfWork;
}

/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of JWT access tokens. The engine refuses these
 * with `unsupported_token_type`, after it has authenticated the client and read the request: here the
 * answer is put in the refusal's place.
 */
export function structuredTokens(parts: Parts) {
  return async (context: KoaContextWithOIDC, next: Next): Promise<void> => {
    await next();
    const { client, params } = refused(context) ? context.oidc : {};
    if (!client || typeof params?.token !== 'string') return;
    const claims = await parts.tokens.read(params.token).catch((error: unknown) => {
      if (!(error instanceof KeysUnavailableError)) throw error;
      return error;
    });
    if (claims instanceof KeysUnavailableError) {
      context.status = claims.status;
      context.set('retry-after', String(claims.retryAfter));
      context.body = { error: 'temporarily_unavailable', error_description: claims.message };
    } else if (context.path === ROUTES.introspection) {
      context.status = 200;
      context.body = await introspect(parts.tokens, client, claims);
    } else if (claims && claims.client_id !== client.clientId) {
      const { error, error_description } = new errors.InvalidRequest('not a token of this client');
      context.body = { error, error_description };
    } else {
      if (claims) await revoke(parts, claims, context);
      context.status = 200;
      // Of the refusal, which was JSON.
      context.remove('content-type');
      context.body = '';
    }
  };
}

function refused(context: KoaContextWithOIDC): boolean {
  const { path, status, body } = context;
  const isHere = path === ROUTES.introspection || path === ROUTES.revocation;
  return (
    isHere &&
    status === 400 &&
    typeof body === 'object' &&
    body !== null &&
    'error' in body &&
    body.error === 'unsupported_token_type'
  );
}

async function introspect(
  tokens: AccessTokens,
  client: Client,
  claims: AccessTokenClaims | undefined,
): Promise<object> {
  const mayKnow = claims && authenticates(client) && concerns(client, claims);
  if (!mayKnow || !(await tokens.isActive(claims))) return { active: false };
  return { active: true, ...claims, token_type: claims.cnf ? 'DPoP' : 'Bearer' };
}

/** Whom it was given to, and who serves it. */
function concerns(client: Client, { client_id, aud }: AccessTokenClaims): boolean {
  const { introspects } = client;
  return client_id === client.clientId || (Array.isArray(introspects) && introspects.includes(aud));
}

/**
 * An access token of a login is the login, on that client: it ends. A service's own token, and one that
 * somebody else's login was exchanged for, are void by themselves.
 */
async function revoke(
  { tokens, sessions, unit }: Parts,
  claims: AccessTokenClaims,
  context: KoaContextWithOIDC,
): Promise<void> {
  const { sid } = claims;
  if (sid === undefined || claims.act) return tokens.revoke(claims);
  await unit.write((transaction) =>
    sessions.end(transaction, [sid], 'revoked', requester(context)),
  );
}

function authenticates(client: Client): boolean {
  return client.clientAuthMethod !== 'none';
}
