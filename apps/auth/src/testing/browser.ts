import { ISSUER } from './running-auth.js';
import type { RunningAuth } from './running-auth.js';

interface Cookie {
  value: string;
  path: string;
}

export interface View {
  status: number;
  /** Where the browser ended up, or was sent to outside of the service. */
  url: URL;
  headers: Headers;
  html: string;
}

/** A browser without scripts: keeps cookies by path, follows redirects, and sends forms. */
export class Browser {
  private readonly cookies = new Map<string, Cookie>();

  constructor(private readonly auth: Pick<RunningAuth, 'url'>) {}

  /** Goes to an address, and on wherever it is sent, as long as that is the service. */
  async open(address: string | URL): Promise<View> {
    return this.request('GET', new URL(address, ISSUER));
  }

  /** Presses a button of a form on the page: the first, or the one whose action ends like this. */
  async submit(view: View, fields: Record<string, string> = {}, actionEnd = ''): Promise<View> {
    const form = formsOf(view.html).find(({ action }) => action.endsWith(actionEnd));
    if (!form) throw new Error(`no form in ${view.html}`);
    const body = new URLSearchParams({ ...form.hidden, ...fields });
    return this.request('POST', new URL(form.action, view.url), body);
  }

  /** What a page of the service's own origin may do with `fetch`. */
  async call(path: string, init: RequestInit = {}): Promise<Response> {
    const url = new URL(path, ISSUER);
    const headers = new Headers(init.headers);
    headers.set('cookie', this.cookieHeader(url.pathname));
    const response = await fetch(new URL(url.pathname + url.search, this.auth.url), {
      ...init,
      headers,
      redirect: 'manual',
    });
    this.keep(response.headers);
    return response;
  }

  cookieValues(): string[] {
    return [...this.cookies.values()].map(({ value }) => value);
  }

  private async request(method: string, url: URL, body?: URLSearchParams): Promise<View> {
    const headers = {
      accept: 'text/html',
      ...(method === 'POST' && { origin: ISSUER, 'sec-fetch-site': 'same-origin' }),
    };
    const response = await this.call(url.href, { method, headers, ...(body && { body }) });
    const location = response.headers.get('location');
    if (location === null) {
      return {
        status: response.status,
        url,
        headers: response.headers,
        html: await response.text(),
      };
    }
    const next = new URL(location, url);
    if (next.origin === ISSUER) return this.request('GET', next);
    return { status: response.status, url: next, headers: response.headers, html: '' };
  }

  private cookieHeader(path: string): string {
    return [...this.cookies]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
  }

  private keep(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(/; ?/);
      const at = pair.indexOf('=');
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const attribute = (key: string) =>
        attributes.find((each) => each.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1);
      const expires = attribute('expires');
      if (value === '' || (expires !== undefined && Date.parse(expires) < Date.now())) {
        this.cookies.delete(name);
      } else {
        this.cookies.set(name, { value, path: attribute('path') ?? '/' });
      }
    }
  }
}

interface Form {
  action: string;
  hidden: Record<string, string>;
}

function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].map(
    ([, action = '', inside = '']) => ({
      action,
      hidden: Object.fromEntries(
        [...inside.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
          ([, name = '', value = '']) => [name, value],
        ),
      ),
    }),
  );
}
