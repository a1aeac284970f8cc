import { interactionPolicy } from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Authorizations } from './authorizations.js';
import type { SignOns } from './sign-ons.js';

const { base, Check, Prompt } = interactionPolicy;

/** When a user must sign in or consent before a client gets a code. */
export function policy(signOns: SignOns, authorizations: Authorizations) {
  const prompts = base();
  prompts
    .get('login')
    ?.checks.add(
      new Check('sign_on_ended', 'the sign-on has ended', 'login_required', (context) =>
        hasEnded(context, signOns),
      ),
    );
  // Prompts are gone through in order: whoever comes to this one needs no other.
  prompts.add(
    new Prompt(
      { name: 'session' },
      new Check('begin', 'a session begins', async (context) => {
        await authorizations.begin(context);
        return Check.NO_NEED_TO_PROMPT;
      }),
    ),
  );
  return prompts;
}

async function hasEnded(context: KoaContextWithOIDC, signOns: SignOns): Promise<boolean> {
  const { session, result } = context.oidc;
  if (!session?.accountId) return Check.NO_NEED_TO_PROMPT;
  const begun = result?.login?.signOn;
  if (typeof begun === 'string') await signOns.bind(begun, session.uid, session.accountId);
  return !(await signOns.isVouchedFor(session.uid, session.accountId));
}
