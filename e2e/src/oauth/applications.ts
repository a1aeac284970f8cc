import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';
import { Client, world } from '../system/world.ts';
import { Browser } from './browser.ts';
import type { View } from './browser.ts';

export const ISSUER = world().urls.auth;
export const CALLBACK = 'https://app.example/callback';

export const person = new Client(world());

/** Registers an application, as an administrator does. */
export async function registered(metadata: object): Promise<{ id: string; secret: string }> {
  const token = await person.tokenOf('admin');
  const answer = await person.call('auth', 'POST /admin/clients', { token, body: metadata });
  if (answer.status !== 201) throw new Error(`registration: ${answer.text}`);
  const { client_id, client_secret = '' } = answer.body as Record<string, string>;
  return { id: client_id ?? '', secret: client_secret };
}

/** For `oauth4webapi`. The tests run without TLS. */
// eslint-disable-next-line @typescript-eslint/no-deprecated
export const insecure = { [oauth.allowInsecureRequests]: true };

/** What `openid-client` finds out about the issuer by itself. The tests run without TLS. */
export function configured(
  clientId: string,
  authentication: oidc.ClientAuth,
  issuer = ISSUER,
): Promise<oidc.Configuration> {
  return oidc.discovery(new URL(issuer), clientId, undefined, authentication, {
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    execute: [oidc.allowInsecureRequests],
  });
}

// guide: single-page registration
export const SINGLE_PAGE = {
  client_name: 'Shop in the browser',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  post_logout_redirect_uris: ['https://app.example/'],
  first_party: true,
  audiences: { 'urn:signet:api': ['api'] },
};
// guide: end

/** Opens a sign-in page and signs a new user in there. */
export async function signedInAt(
  page: URL | string,
  browser = new Browser(ISSUER),
): Promise<{ view: View; email: string; browser: Browser }> {
  const { email, password } = await person.register();
  const view = await browser.submit(await browser.open(page), { email, password });
  return { view, email, browser };
}
