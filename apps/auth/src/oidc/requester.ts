import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Actor } from '../audit/audit-log.js';

/** The client that makes the request, as the audit log names it. */
export function requester(context: KoaContextWithOIDC | undefined): Actor {
  return { id: context?.oidc.client?.clientId ?? null, address: context?.ip ?? null };
}
