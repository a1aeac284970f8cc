import type { KoaContextWithOIDC } from 'oidc-provider';
import { answerWithPage } from '../sign-in/send-page.js';
import { logoutPage, messagePage } from '../sign-in/pages/pages.js';
import { ROUTES } from './paths.js';
import { requester } from './requester.js';
import type { SignOns } from './sign-ons.js';

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
 * How logout tokens are delivered: by the engine's own limits of time and size, but also to hosts in our
 * own network. Administrators name these addresses, nobody else can.
 */
export const fetchForLogout: typeof fetch = (url, options) => {
  const init: RequestInit & { dispatcher?: unknown } = { ...options };
  delete init.dispatcher;
  return fetch(url, init);
};
