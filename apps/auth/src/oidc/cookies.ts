import type { AuthConfig } from '../config.js';

const SHARED = { httpOnly: true, sameSite: 'lax' } as const;

/**
 * The engine's cookies. Lax, because applications send browsers here from other sites. Over https their
 * names hold browsers to that nobody else's page, on this host or beside it, has set them.
 */
export function browserCookies(config: AuthConfig) {
  const secure = isSecure(config);
  const prefixed = (prefix: string, name: string) => (secure ? `${prefix}-${name}` : name);
  return {
    keys: [config.SIGNET_COOKIE_SECRET],
    names: {
      session: prefixed('__Host', 'signet-sign-on'),
      interaction: prefixed('__Secure', 'signet-interaction'),
      resume: prefixed('__Secure', 'signet-resume'),
    },
    long: { ...SHARED, secure },
    short: { ...SHARED, secure },
  };
}

function isSecure({ SIGNET_ISSUER }: AuthConfig): boolean {
  return SIGNET_ISSUER.startsWith('https:');
}
