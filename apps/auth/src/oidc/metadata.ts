import type { KoaContextWithOIDC } from 'oidc-provider';
import { CLIENT_AUTH_METHODS } from '../clients/grants.js';
import { CLIENT_KEY_ALGORITHMS } from '../clients/client-keys.js';
import { USERINFO_PATH } from './paths.js';

type Next = () => Promise<void>;

/** What the discovery documents say beyond what the engine writes by itself. */
export function furtherMetadata(issuer: string) {
  const authenticating = CLIENT_AUTH_METHODS.filter((method) => method !== 'none');
  return {
    userinfo_endpoint: new URL(USERINFO_PATH, issuer).href,
    introspection_endpoint_auth_methods_supported: authenticating,
    introspection_endpoint_auth_signing_alg_values_supported: [...CLIENT_KEY_ALGORITHMS],
    revocation_endpoint_auth_methods_supported: [...CLIENT_AUTH_METHODS],
    revocation_endpoint_auth_signing_alg_values_supported: [...CLIENT_KEY_ALGORITHMS],
  };
}

/** The engine lists every response mode that it could do; clients here have one. */
export async function correctMetadata(context: KoaContextWithOIDC, next: Next): Promise<void> {
  await next();
  const isMetadata = context.path.startsWith('/.well-known/o');
  if (isMetadata && context.status === 200) {
    Object.assign(context.body as object, { response_modes_supported: ['query'] });
  }
}
