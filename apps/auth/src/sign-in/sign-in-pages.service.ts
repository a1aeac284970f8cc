import { Injectable } from '@nestjs/common';
import { errors } from 'oidc-provider';
import type { Client, Interaction } from 'oidc-provider';
import { AccountsService } from '../accounts/accounts.service.js';
import { OidcEngine } from '../oidc/engine.js';
import type { Page } from './pages/page.js';
import { consentPage, signInPage } from './pages/pages.js';
import { permissionsOf } from './permissions.js';

/** The page for what a browser is asked. */
@Injectable()
export class SignInPages {
  constructor(
    private readonly engine: OidcEngine,
    private readonly accounts: AccountsService,
  ) {}

  /** @throws {errors.SessionNotFound} when the client or the user is gone */
  async of(
    interaction: Interaction,
    attempt: { email?: string; error?: string } = {},
  ): Promise<Page> {
    const { params, prompt, uid } = interaction;
    const client = await this.engine.provider.Client.find(String(params.client_id));
    if (!client) throw new errors.SessionNotFound('the client is gone');
    const action = `/sign-in/${uid}`;
    const redirectUri = typeof params.redirect_uri === 'string' ? params.redirect_uri : undefined;
    const name = nameOf(client);
    if (prompt.name === 'login') {
      const hint = typeof params.login_hint === 'string' ? params.login_hint : '';
      const { email = hint, error } = attempt;
      return signInPage({ client: name, action, email, error }, redirectUri);
    }
    const user = await this.accounts.find(interaction.session?.accountId ?? '');
    if (!user) throw new errors.SessionNotFound('the user is gone');
    const permissions = permissionsOf(params.scope);
    const destination = redirectUri === undefined ? undefined : new URL(redirectUri).host;
    return consentPage(
      { client: name, action, email: user.email, permissions, destination },
      redirectUri,
    );
  }
}

function nameOf(client: Client): string {
  return client.clientName ?? client.clientId;
}
