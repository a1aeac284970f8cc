/** Below `/oauth/`, so that no route of the engine's can meet one of ours. */
export const ROUTES = {
  authorization: '/oauth/authorize',
  pushed_authorization_request: '/oauth/par',
  token: '/oauth/token',
  introspection: '/oauth/introspect',
  revocation: '/oauth/revoke',
  device_authorization: '/oauth/device/authorize',
  code_verification: '/oauth/device',
  end_session: '/oauth/logout',
  jwks: '/.well-known/jwks.json',
} as const;

/** Answered by a controller of ours: the engine's own does not take JWT access tokens. */
export const USERINFO_PATH = '/oauth/userinfo';
