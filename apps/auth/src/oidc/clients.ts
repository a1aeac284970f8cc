import type { ClientMetadata } from 'oidc-provider';
import type { AuthConfig } from '../config.js';
import { CLIENT_AUDIENCES } from './audiences.js';
import type { ClientAudiences } from './audiences.js';

/** Our own applications, which log users in over JSON. */
export const FIRST_PARTY = 'first-party';

/** The clients that there are from the start. */
export function builtInClients(config: AuthConfig): ClientMetadata[] {
  return [
    {
      client_id: FIRST_PARTY,
      client_name: 'First-party applications',
      token_endpoint_auth_method: 'none',
      grant_types: ['refresh_token'],
      response_types: [],
      redirect_uris: [],
      [CLIENT_AUDIENCES]: { 'urn:signet:api': ['api'] } satisfies ClientAudiences,
    },
    {
      client_id: 'orders',
      client_name: 'Orders service',
      client_secret: config.SIGNET_ORDERS_CLIENT_SECRET,
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      [CLIENT_AUDIENCES]: {
        'urn:signet:inventory': ['inventory:reserve'],
        'urn:signet:payments': ['payments:charge'],
      } satisfies ClientAudiences,
    },
  ];
}
