import { Eta } from 'eta';
import { createHash } from 'node:crypto';
import { LAYOUT, STYLE } from './layout.js';

/** A page as it is sent: HTML without a script, and the headers that hold it to that. */
export interface Page {
  html: string;
  headers: Record<string, string>;
}

export interface PageOptions {
  title: string;
  /** Where its forms may lead, beside our own pages: browsers ask about redirects too. */
  leadsTo?: string | undefined;
}

/** Escapes whatever it is given. */
const eta = new Eta({ autoEscape: true, useWith: false, cache: true });

eta.loadTemplate('@layout', LAYOUT);

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export type Template<Data extends object> = (data: Data, options: PageOptions) => Page;

/** Makes a page out of an Eta template, whose data is `it`. */
export function page(template: string): Template<object> {
  const name = `@page-${createHash('sha256').update(template).digest('hex')}`;
  eta.loadTemplate(name, template);
  return (data, { title, leadsTo }) => {
    const body = eta.render(name, data);
    return {
      html: eta.render('@layout', { title, body, style: STYLE }),
      headers: headers(leadsTo),
    };
  };
}

function headers(leadsTo: string | undefined): Record<string, string> {
  const target = leadsTo === undefined ? '' : ` ${sourceOf(leadsTo)}`;
  return {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': [
      "default-src 'none'",
      `style-src 'sha256-${STYLE_HASH}'`,
      `form-action 'self'${target}`,
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ].join('; '),
    'referrer-policy': 'same-origin',
    'x-frame-options': 'DENY',
  };
}

/** Of an https address its origin, of an application's own scheme the scheme. */
function sourceOf(uri: string): string {
  const { origin, protocol } = new URL(uri);
  return origin === 'null' ? protocol : origin;
}
