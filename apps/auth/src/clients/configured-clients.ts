import { Inject, Injectable } from '@nestjs/common';
import type { ClientMetadata } from 'oidc-provider';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { configuredClient } from './client.schema.js';
import type { ConfiguredClient } from './client.schema.js';
import { hashClientSecret } from './client-secret.js';
import { engineClient } from './engine-client.js';
import { FIRST_PARTY } from './grants.js';

/** The clients that there are from the start: our own, and those that the operator names. */
@Injectable()
export class ConfiguredClients {
  readonly all: readonly ConfiguredClient[];

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig) {
    this.all = [...builtIn(config), ...config.SIGNET_CLIENTS];
  }

  find(id: string): ConfiguredClient | undefined {
    return this.all.find(({ client_id }) => client_id === id);
  }

  forEngine(): ClientMetadata[] {
    return this.all.map(({ client_id, client_secret, ...registration }) => {
      const hash = client_secret === undefined ? undefined : hashClientSecret(client_secret);
      return engineClient(client_id, registration, hash);
    });
  }
}

function builtIn(config: AuthConfig): ConfiguredClient[] {
  return [
    {
      client_id: FIRST_PARTY,
      client_name: 'First-party applications',
      application_type: 'web',
      token_endpoint_auth_method: 'none',
      // Its tokens come from the login over JSON: there is nowhere to be called back at.
      grant_types: ['refresh_token'],
      redirect_uris: [],
      post_logout_redirect_uris: [],
      dpop_bound_access_tokens: false,
      require_pushed_authorization_requests: false,
      audiences: { 'urn:signet:api': ['api'] },
      first_party: true,
      introspects: [],
    },
    configuredClient.parse({
      client_id: 'orders',
      client_name: 'Orders service',
      client_secret: config.SIGNET_ORDERS_CLIENT_SECRET,
      grant_types: ['client_credentials'],
      audiences: {
        'urn:signet:inventory': ['inventory:reserve'],
        'urn:signet:payments': ['payments:charge'],
      },
    }),
  ];
}
