import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import * as oidc from 'openid-client';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { configured, ISSUER, person, registered } from './applications.ts';
import { hasChromium, openChromium } from './chromium.ts';

const COOKIE = '__Host-signet-refresh';

/** Where pictures of the pages are left for whoever wants to look, when the variable says so. */
const PICTURES = process.env.SIGNET_E2E_PICTURES;

const inABrowser = hasChromium ? describe : describe.skip;

/** The application that users come back to. */
const application = createServer((_request, response) => response.end('Welcome back'));

let callback: string;
let browser: Browser | undefined;
let context: BrowserContext;

beforeAll(async () => {
  application.listen(0, '127.0.0.1');
  await once(application, 'listening');
  callback = `http://127.0.0.1:${(application.address() as AddressInfo).port}/callback`;
  if (hasChromium) browser = await openChromium();
});

afterAll(async () => {
  await browser?.close();
  application.close();
});

beforeEach(async () => {
  if (browser) context = await browser.newContext();
});

afterEach(async () => {
  if (browser) await context.close();
});

/** A page of somebody at this address, which is not asked for over the network. */
async function pageAt(address: string, html = '<title>A page</title>'): Promise<Page> {
  const page = await context.newPage();
  await page.route(address, (route) => route.fulfill({ contentType: 'text/html', body: html }));
  await page.goto(address);
  return page;
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
}

/** What a script of the page gets to see. */
function call(page: Page, path: string, body?: object, token?: string): Promise<Answer> {
  const headers = {
    ...(body && { 'content-type': 'application/json' }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const init = { method: 'POST', headers, ...(body && { body: JSON.stringify(body) }) };
  return page.evaluate(
    async ([url, options]) => {
      const response = await fetch(url, options);
      const text = await response.text();
      return {
        status: response.status,
        body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      };
    },
    [path, init] as const,
  );
}

async function loggedIn(page: Page): Promise<string> {
  const { email, password } = await person.register();
  const answer = await call(page, '/auth/login', { email, password, transport: 'cookie' });
  expect(answer.status).toBe(200);
  expect(answer.body).not.toHaveProperty('refresh_token');
  return String(answer.body.access_token);
}

const kept = async () => (await context.cookies()).find(({ name }) => name === COOKIE);

inABrowser('a page in Chromium that keeps its refresh token in the cookie', () => {
  it('renews silently after a reload, and no script reads the token', async () => {
    const page = await pageAt(`${ISSUER}/a-page-of-ours`);
    await loggedIn(page);
    const first = await kept();
    expect(first).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' });
    await page.reload();
    const renewed = await call(page, '/auth/refresh');
    expect(renewed.status).toBe(200);
    expect(renewed.body).not.toHaveProperty('refresh_token');
    expect((await kept())?.value).not.toBe(first?.value);
    expect(await page.evaluate<string>('document.cookie')).toBe('');
  });

  it('is not renewed by another site, whose form is refused and ends nothing', async () => {
    const page = await pageAt(`${ISSUER}/a-page-of-ours`);
    await loggedIn(page);
    const before = await kept();
    const evil = await pageAt(
      'http://evil.example/',
      `<form method="post" action="${ISSUER}/auth/refresh"><button>Win a prize</button></form>`,
    );
    const [response] = await Promise.all([
      evil.waitForResponse(`${ISSUER}/auth/refresh`),
      evil.click('button'),
    ]);
    expect(response.status()).toBeGreaterThanOrEqual(400);
    expect((await response.request().allHeaders()).cookie ?? '').not.toContain(COOKIE);
    expect(await kept()).toEqual(before);
    expect((await call(page, '/auth/refresh')).status).toBe(200);
  });

  it('is over when it logs out', async () => {
    const page = await pageAt(`${ISSUER}/a-page-of-ours`);
    const token = await loggedIn(page);
    expect((await call(page, '/auth/logout', undefined, token)).status).toBe(204);
    expect(await kept()).toBeUndefined();
    expect((await call(page, '/auth/refresh')).status).toBe(400);
  });
});

async function authorizationUrl(): Promise<string> {
  const { id, secret } = await registered({
    client_name: 'Book club',
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: [callback],
  });
  const config = await configured(id, oidc.ClientSecretBasic(secret));
  return oidc.buildAuthorizationUrl(config, {
    redirect_uri: callback,
    scope: 'openid email',
    code_challenge: await oidc.calculatePKCECodeChallenge(oidc.randomPKCECodeVerifier()),
    code_challenge_method: 'S256',
  }).href;
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

const focused = (page: Page) =>
  page.evaluate<string>('document.activeElement.name || document.activeElement.textContent');

inABrowser('the sign-in pages in Chromium', () => {
  it('are gone through by keyboard alone: a wrong password, the right one, consent', async () => {
    const { email, password } = await person.register();
    const page = await context.newPage();
    await page.goto(await authorizationUrl());
    await picture(page, 'sign-in');
    expect(await page.getByLabel('Email address').count()).toBe(1);
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('email');
    await page.keyboard.type(email);
    await page.keyboard.press('Tab');
    await page.keyboard.type('a wrong password');
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    await picture(page, 'wrong-password');
    expect(await page.getByRole('alert').innerText()).not.toBe('');
    expect(await page.getByLabel('Email address').inputValue()).toBe(email);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('password');
    await page.keyboard.type(password);
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    await picture(page, 'consent');
    expect(await page.title()).toBe('Book club asks for access');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Allow');
    await Promise.all([page.waitForURL(`${callback}*`), page.keyboard.press('Enter')]);
    expect(new URL(page.url()).searchParams.get('code')).not.toBeNull();
  });

  it('can be read in the dark, and on a small screen without scrolling sideways', async () => {
    const page = await context.newPage();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(await authorizationUrl());
    await picture(page, 'dark-and-small');
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(320);
    expect(await page.evaluate<string>('getComputedStyle(document.body).color')).toBe(
      'rgb(236, 238, 242)',
    );
  });
});
