export interface View {
  status: number;
  /** Where the browser is, or which address of an application it was sent to. */
  url: URL;
  html: string;
}

/** A user's browser without scripts: keeps cookies by path, follows redirects at home, sends forms. */
export class Browser {
  private readonly cookies = new Map<string, { value: string; path: string }>();

  constructor(private readonly home: string) {}

  open(address: string | URL): Promise<View> {
    return this.request('GET', new URL(address, this.home));
  }

  /** Sends the page's first form, or the one whose action ends with `actionEnd`. */
  submit(view: View, fields: Record<string, string> = {}, actionEnd = ''): Promise<View> {
    const forms = [...view.html.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)];
    const [, action, inside = ''] = forms.find(([, action]) => action?.endsWith(actionEnd)) ?? [];
    if (action === undefined) throw new Error(`no such form in: ${view.html}`);
    const hidden = [...inside.matchAll(/type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const given = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    const body = new URLSearchParams({ ...given, ...fields });
    return this.request('POST', new URL(action, view.url), body);
  }

  private async request(method: string, url: URL, body?: URLSearchParams): Promise<View> {
    const cookies = [...this.cookies].filter(([, { path }]) => url.pathname.startsWith(path));
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        cookie: cookies.map(([name, { value }]) => `${name}=${value}`).join('; '),
        ...(method === 'POST' && { origin: this.home, 'sec-fetch-site': 'same-origin' }),
      },
      ...(body && { body }),
    });
    this.keep(response.headers.getSetCookie());
    const location = response.headers.get('location');
    if (location === null) return { status: response.status, url, html: await response.text() };
    const next = new URL(location, url);
    return next.origin === this.home
      ? this.request('GET', next)
      : { status: response.status, url: next, html: '' };
  }

  private keep(lines: string[]): void {
    for (const line of lines) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      const path = /; path=([^;]*)/i.exec(line)?.[1] ?? '/';
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, { value, path });
    }
  }
}
