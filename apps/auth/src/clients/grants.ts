/** Our own applications, which log users in over JSON. */
export const FIRST_PARTY = 'first-party';

/** Stands for a sign-on at the sign-in page, which is no application's. */
export const SIGN_ON = 'sign-on';

/** Ids that no other client may have. */
export const BUILT_IN_CLIENTS: readonly string[] = [FIRST_PARTY, 'orders', SIGN_ON];

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** What a client can be allowed to do at the token endpoint. */
export const GRANTS = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  DEVICE_GRANT,
  EXCHANGE_GRANT,
] as const;

/** How a client can prove who it is there. */
export const CLIENT_AUTH_METHODS = ['client_secret_basic', 'private_key_jwt', 'none'] as const;
