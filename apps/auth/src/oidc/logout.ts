import type Provider from 'oidc-provider';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { answerWithPage } from '../sign-in/send-page.js';
import { logoutPage, messagePage } from '../sign-in/pages/pages.js';
import type { LogoutNotices } from './logout-notices.js';
import { ROUTES } from './paths.js';
import { requester } from './requester.js';
import type { SignOns } from './sign-ons.js';
import type { UnitOfWork } from './unit-of-work.js';

type Next = () => Promise<void>;

/** RP-initiated logout, as its pages show it. The engine's own question has nowhere to be styled. */
export const rpInitiatedLogout = {
  enabled: true,
  logoutSource: (context: KoaContextWithOIDC) => {
    const { secret, postLogoutRedirectUri } = context.oidc.session?.state ?? {};
    const client = context.oidc.client?.clientName;
    const data = { action: `${ROUTES.end_session}/confirm`, xsrf: String(secret), client };
    const leadsTo = typeof postLogoutRedirectUri === 'string' ? postLogoutRedirectUri : undefined;
    answerWithPage(context, logoutPage(data, leadsTo));
  },
  postLogoutSuccessSource: (context: KoaContextWithOIDC) => {
    answerWithPage(context, messagePage('Done', 'You can close this page.'));
  },
};

/**
 * Ends what was begun through the sign-on when the user signs out, or the one application's part of it
 * when the user stays signed in.
 */
export function endSessionsAtLogout(signOns: SignOns) {
  return async (context: KoaContextWithOIDC, next: Next): Promise<void> => {
    await next();
    if (context.path !== `${ROUTES.end_session}/confirm` || context.status !== 303) return;
    const { session, client, params } = context.oidc;
    if (!session) return;
    const actor = requester(context);
    if (params?.logout) await signOns.end(session.uid, 'logout', actor);
    else if (client) await signOns.end(session.uid, 'logout', actor, client.clientId);
  };
}

/**
 * Has the engine write down whom a sign-out in the browser concerns, instead of telling them while the
 * user waits. It knows of more than sessions that end: who has `offline_access` is told as well.
 */
export function announceLogouts(
  provider: Provider,
  unit: UnitOfWork,
  notices: LogoutNotices,
): void {
  Object.assign(provider.Client.prototype, {
    backchannelLogout(this: Client, userId: string, sid: string): Promise<void> {
      const notice = { sid, userId, clientId: this.clientId };
      return unit.write((transaction) => notices.announce(transaction, [notice]));
    },
  });
}
