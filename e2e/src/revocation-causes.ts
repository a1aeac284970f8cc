import * as oidc from 'openid-client';
import { CALLBACK, configured, SINGLE_PAGE } from './oauth/applications.ts';
import { Browser } from './oauth/browser.ts';
import type { Client, Tokens } from './system/world.ts';

export interface User extends Tokens {
  email: string;
  password: string;
}

/** Somebody who logged in by the sign-in page of an application, and may be logged out with it. */
export interface UserOfApplication extends User {
  application: string;
}

/** Two processes of auth, and an administrator. What is brought about is so through the second. */
export interface Place {
  here: Client;
  there: Client;
  issuer: string;
  admin: string;
}

type Outcome = Promise<{ status: number }>;

/** What makes the tokens of a user void. */
export const CAUSES: Record<string, (place: Place, user: User) => Outcome> = {
  logout: ({ there }, { access_token: token }) =>
    there.call('auth', 'POST /auth/logout', { token }),
  'logout everywhere': ({ there }, { access_token: token }) =>
    there.call('auth', 'POST /auth/logout-all', { token }),
  'a session ended from another one': async (
    { here, there },
    { access_token, email, password },
  ) => {
    const { body } = await here.call('auth', 'GET /auth/sessions', { token: access_token });
    const [{ id }] = body.items as [{ id: string }];
    const { access_token: token } = await there.logIn(email, password);
    return there.call('auth', `DELETE /auth/sessions/${id}`, { token });
  },
  'a new password': async ({ there }, { email, password }) => {
    const { access_token: token } = await there.logIn(email, password);
    const body = { currentPassword: password, newPassword: `another ${password}` };
    return there.call('auth', 'POST /auth/password', { token, body });
  },
  'a stolen refresh token': async ({ there }, { refresh_token }) => {
    const use = (token: string) =>
      there.call('auth', 'POST /auth/refresh', { body: { refresh_token: token } });
    const { body } = await use(refresh_token);
    await use(String(body.refresh_token));
    const { status } = await use(refresh_token);
    return { status: status === 401 ? 200 : status };
  },
  'an administrator ending the sessions': async ({ here, there, admin }, { access_token }) =>
    there.call('auth', `DELETE /admin/users/${await idOf(here, access_token)}/sessions`, {
      token: admin,
    }),
  'an account disabled': async ({ here, there, admin }, { access_token }) =>
    there.call('auth', `POST /admin/users/${await idOf(here, access_token)}/disable`, {
      token: admin,
    }),
  'other roles': async ({ here, there, admin }, { access_token }) =>
    there.call('auth', `PUT /admin/users/${await idOf(here, access_token)}/roles`, {
      token: admin,
      body: { roles: ['customer', 'support'] },
    }),
};

/** What an application does with the tokens of its users, or what is done to it. */
export const CAUSES_OF_APPLICATIONS: Record<
  string,
  (place: Place, user: UserOfApplication) => Outcome
> = {
  'its access token revoked by the application (RFC 7009)': (place, user) =>
    revoked(place, user.application, user.access_token),
  'its refresh token revoked by the application (RFC 7009)': (place, user) =>
    revoked(place, user.application, user.refresh_token),
  'the application disabled': ({ there, admin }, { application }) =>
    there.call('auth', `POST /admin/clients/${application}/disable`, { token: admin }),
};

async function idOf(client: Client, token: string): Promise<string> {
  return String((await client.call('auth', 'GET /auth/me', { token })).body.id);
}

function revoked({ there }: Place, application: string, token: string): Outcome {
  return there.call('auth', 'POST /oauth/revoke', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_id: application, token }).toString(),
  });
}

/** A new application, and a new user who signs in to it. */
export async function signedIn({ here, issuer, admin }: Place): Promise<UserOfApplication> {
  const { body } = await here.call('auth', 'POST /admin/clients', {
    token: admin,
    body: SINGLE_PAGE,
  });
  const application = String(body.client_id);
  const config = await configured(application, oidc.None(), issuer);
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const page = oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid api offline_access',
    prompt: 'consent',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const { email, password } = await here.register();
  const browser = new Browser(issuer);
  const asked = await browser.submit(await browser.open(page), { email, password });
  const back = await browser.submit(asked, {}, '/consent');
  const tokens = await oidc.authorizationCodeGrant(config, back.url, { pkceCodeVerifier });
  return { ...(tokens as unknown as Tokens), email, password, application };
}
