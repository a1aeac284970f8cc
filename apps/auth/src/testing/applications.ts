import { createHash, randomBytes } from 'node:crypto';
import { Browser } from './browser.js';
import type { View } from './browser.js';
import { PASSWORD, register } from './running-auth.js';
import type { Answer, RunningAuth } from './running-auth.js';

export const CALLBACK = 'https://shop.example/callback';

/** A page in the browser, one of our own. */
export const OWN_PAGE = {
  client_id: 'page',
  client_name: 'Shop',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  first_party: true,
  audiences: { 'urn:signet:api': ['api'] },
};

export const WATCHER = {
  client_id: 'watcher',
  client_name: 'Resource server of another kind',
  client_secret: 'the-secret-of-the-watcher-in-these-tests',
  grant_types: ['client_credentials'],
  audiences: { 'urn:signet:payments': ['payments:charge'] },
  introspects: ['urn:signet:api'],
};

export function basic({ client_id, client_secret }: typeof WATCHER) {
  const credentials = Buffer.from(`${client_id}:${client_secret}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

export interface SignedIn {
  email: string;
  code: string;
  verifier: string;
  browser: Browser;
  back: View;
}

/** A new user signs in on the page. */
export async function signedIn(auth: RunningAuth, scope = 'openid api'): Promise<SignedIn> {
  const { email } = await register(auth);
  const verifier = randomBytes(32).toString('base64url');
  const query = new URLSearchParams({
    client_id: OWN_PAGE.client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  });
  const browser = new Browser(auth);
  const page = await browser.open(`/oauth/authorize?${query.toString()}`);
  const back = await browser.submit(page, { email, password: PASSWORD });
  return { email, code: back.url.searchParams.get('code') ?? '', verifier, browser, back };
}

export function redeem(
  auth: RunningAuth,
  { code, verifier }: Pick<SignedIn, 'code' | 'verifier'>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const form = {
    grant_type: 'authorization_code',
    client_id: OWN_PAGE.client_id,
    redirect_uri: CALLBACK,
    code,
    code_verifier: verifier,
  };
  return auth.call('POST', '/oauth/token', { form, headers });
}
