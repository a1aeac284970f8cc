import type { Actor } from '@signet/database';
import type { KoaContextWithOIDC } from 'oidc-provider';

/** The client that makes the request, as the audit log names it. */
export function requester(context: KoaContextWithOIDC | undefined): Actor {
  return { id: context?.oidc.client?.clientId ?? null, address: context?.ip ?? null };
}
