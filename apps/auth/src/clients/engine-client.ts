import type { ClientMetadata } from 'oidc-provider';
import { CLIENT_AUDIENCES } from '../oidc/audiences.js';
import type { ClientRegistration } from './client.schema.js';

/** Metadata of clients that the engine does not know by itself. */
export const OWN_METADATA = [CLIENT_AUDIENCES, 'first_party', 'introspects'] as const;

/**
 * A client as the engine knows it. In place of its secret the engine has hashes.
 *
 * @param secretHashes of the secrets that are good now, separated by spaces
 */
export function engineClient(
  id: string,
  registration: ClientRegistration,
  secretHashes: string | undefined,
): ClientMetadata {
  const { jwks, backchannel_logout_uri, ...metadata } = registration;
  const hasCode = metadata.grant_types.includes('authorization_code');
  return {
    ...metadata,
    client_id: id,
    response_types: hasCode ? ['code'] : [],
    // A fragment ends up in scripts' hands, and a form post needs one.
    response_modes: ['query'],
    ...(secretHashes !== undefined && { client_secret: secretHashes }),
    ...(jwks && { jwks: { keys: jwks.keys } }),
    ...(backchannel_logout_uri !== undefined && {
      backchannel_logout_uri,
      backchannel_logout_session_required: true,
    }),
  };
}
