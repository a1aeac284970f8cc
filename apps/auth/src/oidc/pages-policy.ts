import type { KoaContextWithOIDC } from 'oidc-provider';
import { messagePage } from '../sign-in/pages/pages.js';
import { answerWithPage } from '../sign-in/send-page.js';
import { ROUTES } from './paths.js';

type Next = () => Promise<void>;

/**
 * For the pages that the engine makes itself, which only pass a form on. Where one has a script, it adds
 * the script's hash.
 */
const POLICY = [
  "default-src 'none'",
  // Allows nothing, but is there for a hash to be added to.
  "script-src 'report-sample'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ');

export async function pagesPolicy(context: KoaContextWithOIDC, next: Next): Promise<void> {
  context.set('content-security-policy', POLICY);
  context.set('referrer-policy', 'same-origin');
  await next();
  const target = context.type === 'text/html' ? logoutTarget(context) : undefined;
  if (target === undefined) return;
  // The form leads to us and from here to the application: browsers ask about both.
  const policy = context.response.get('content-security-policy');
  const source = `form-action 'self' ${new URL(target).origin}`;
  context.set('content-security-policy', policy.replace("form-action 'self'", source));
}

function logoutTarget(context: KoaContextWithOIDC): string | undefined {
  if (context.path !== ROUTES.end_session) return undefined;
  const uri = context.oidc.session?.state?.postLogoutRedirectUri;
  return typeof uri === 'string' && uri.startsWith('http') ? uri : undefined;
}

/** For people, who have been sent here by an application that asked for something wrong. */
export function renderError(
  context: KoaContextWithOIDC,
  out: { error: string; error_description?: string | undefined },
): void {
  if (context.accepts('json', 'html') !== 'html') {
    context.type = 'json';
    context.body = out;
    return;
  }
  const { error, error_description = '' } = out;
  const text = `The application asked for something that cannot be done: ${error}. ${error_description}`;
  answerWithPage(context, messagePage('This did not work', text));
}
