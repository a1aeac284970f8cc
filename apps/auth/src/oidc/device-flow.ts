import { Problem } from '@signet/http';
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import type { Throttle } from '../accounts/throttle.js';
import { deviceCodePage, deviceConfirmationPage, messagePage } from '../sign-in/pages/pages.js';
import { answerWithPage } from '../sign-in/send-page.js';
import { ROUTES } from './paths.js';

type Next = () => Promise<void>;

const MAX_CODE = 40;

/** Device authorization (RFC 8628), with its pages. */
export const deviceFlow = {
  enabled: true,
  charset: 'base-20' as const,
  mask: '****-****',
  userCodeInputSource: (
    context: KoaContextWithOIDC,
    _form: string,
    _out?: unknown,
    error?: Error & { userCode?: string },
  ) => {
    const typed: unknown = error?.userCode ?? context.state.userCode ?? '';
    const code = typeof typed === 'string' ? typed : '';
    answerWithPage(context, deviceCodePage({ ...formOf(context), code, error: say(error) }));
  },
  userCodeConfirmSource: (
    context: KoaContextWithOIDC,
    _form: string,
    client: Client,
    deviceInfo: Record<string, unknown>,
    code: string,
  ) => {
    const name = client.clientName ?? client.clientId;
    const address = typeof deviceInfo.ip === 'string' ? deviceInfo.ip : 'unknown';
    const data = { ...formOf(context), code, client: name, address };
    answerWithPage(context, deviceConfirmationPage(data));
  },
  successSource: (context: KoaContextWithOIDC) => {
    const text = 'Your device is connected. You can close this page and go on there.';
    answerWithPage(context, messagePage('Done', text));
  },
};

/**
 * A link that has the code in it fills in the form and no more: the user compares the code and presses
 * the button, where the engine would have a script send it.
 */
export async function fillInCode(context: KoaContextWithOIDC, next: Next): Promise<void> {
  if (context.method === 'GET' && context.path === ROUTES.code_verification) {
    const { user_code: code, ...rest } = context.query;
    if (typeof code === 'string') context.state.userCode = code.slice(0, MAX_CODE);
    context.query = rest;
  }
  await next();
}

/** Guessing a code that some device shows somewhere has few tries, on all replicas together. */
export function throttleCodes(throttle: Throttle) {
  return async (context: KoaContextWithOIDC, next: Next): Promise<void> => {
    if (context.method !== 'POST' || context.path !== ROUTES.code_verification) return next();
    try {
      await throttle.admitUserCode(context.ip);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      context.status = error.getStatus();
      context.set('retry-after', String(error.retryAfter));
      answerWithPage(context, messagePage('Too many attempts', 'Wait before you try again.'));
      return;
    }
    await next();
  };
}

function formOf(context: KoaContextWithOIDC): { action: string; xsrf: string } {
  return {
    action: ROUTES.code_verification,
    xsrf: String(context.oidc.session?.state?.secret),
  };
}

function say(error: (Error & { userCode?: string }) | undefined): string | undefined {
  if (!error) return undefined;
  if (error.name === 'AbortedError') return 'The device was not connected.';
  if (error.userCode !== undefined || error.name === 'NoCodeError') {
    return 'That is not a code, or not any more. Look at the device again.';
  }
  return 'The device was not connected. Begin again there.';
}
