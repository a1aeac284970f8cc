import Provider from 'oidc-provider';
import type { AccessToken, Client } from 'oidc-provider';
import type { Throttle } from '../accounts/throttle.js';
import { isClientSecret } from '../clients/client-secret.js';
import type { SessionStore } from '../sessions/session-store.js';
import { configuration } from './configuration.js';
import type { ConfigurationParts } from './configuration.js';
import { fillInCode, throttleCodes } from './device-flow.js';
import { cacheKeySet } from './key-set-caching.js';
import { announceLogouts, endSessionsAtLogout } from './logout.js';
import type { LogoutNotices } from './logout-notices.js';
import { correctMetadata } from './metadata.js';
import { pagesPolicy } from './pages-policy.js';
import { ROUTES } from './paths.js';
import type { RefreshRotation } from './refresh-rotation.js';
import { structuredTokens } from './structured-tokens.js';
import { registerTokenExchange } from './token-exchange.js';
import type { UnitOfWork } from './unit-of-work.js';

export interface ProviderParts extends ConfigurationParts {
  unit: UnitOfWork;
  sessions: SessionStore;
  throttle: Throttle;
  notices: LogoutNotices;
  /** Whether these are the keys in the database, as far as can be known. */
  keysAreCurrent: () => boolean;
}

/** Makes the engine. It reads its keys here and never again: other keys, another engine. */
export function createProvider(parts: ProviderParts): Provider {
  const { config, rotation, signOns, tokens, unit } = parts;
  const provider = new Provider(config.SIGNET_ISSUER, configuration(parts));
  // The mount sets the forwarding headers itself, from what Fastify trusts.
  provider.proxy = true;
  provider.use((context, next) => unit.run(next, () => context.status < 500));
  provider.use(rotation.deliver);
  provider.use(cacheKeySet(ROUTES.jwks, config.SIGNET_JWKS_MAX_AGE_SECONDS, parts.keysAreCurrent));
  provider.use(pagesPolicy);
  provider.use(correctMetadata);
  provider.use(endSessionsAtLogout(signOns));
  provider.use(structuredTokens(parts));
  provider.use(throttleCodes(parts.throttle));
  provider.use(fillInCode);
  registerTokenExchange(provider, tokens);
  exchangeOnceSigned(provider, rotation);
  announceLogouts(provider, unit, parts.notices);
  // Clients' secrets are not known here, only hashes of them.
  provider.Client.prototype.compareClientSecret = function (this: Client, secret: string) {
    return isClientSecret(this.clientSecret, secret);
  };
  return provider;
}

/** To write is the last that a refresh does: a token whose successor cannot be handed out is not used up. */
function exchangeOnceSigned(provider: Provider, rotation: RefreshRotation): void {
  const { prototype } = provider.AccessToken;
  const base = Object.getPrototypeOf(prototype) as AccessToken;
  prototype.save = async function (this: AccessToken) {
    const token = await base.save.call(this);
    const context = Provider.ctx;
    const isGood = !context || (await rotation.complete(context));
    return isGood ? token : base.save.call(this);
  };
}
