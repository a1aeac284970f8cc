import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { Problem } from '@signet/http';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { browserCookies } from '../oidc/cookies.js';
import { OidcEngine } from '../oidc/engine.js';
import { SignOns } from '../oidc/sign-ons.js';
import { UnitOfWork } from '../oidc/unit-of-work.js';
import { SessionStore } from '../sessions/session-store.js';
import type { Exchange } from './sign-in.service.js';

/** Opens the engine's browser session for a session that is there already. */
@Injectable()
export class BrowserSignOnService {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly engine: OidcEngine,
    private readonly sessions: SessionStore,
    private readonly signOns: SignOns,
    private readonly unit: UnitOfWork,
  ) {}

  /** Always a new browser session with a new cookie: a cookie that somebody planted gains nothing. */
  async signOn({ request, response }: Exchange, sid: string): Promise<void> {
    const { provider } = this.engine;
    const cookie = await this.unit.run(async () => {
      const session = await this.unit.write((transaction) => this.sessions.touch(transaction, sid));
      if (!session) throw ended();
      const { userId, acr, amr, authenticatedAt } = session;
      const browser = new provider.Session();
      const loginTs = Math.floor(authenticatedAt.getTime() / 1000);
      browser.loginAccount({ accountId: userId, acr, amr, loginTs });
      await browser.save(this.config.SIGNET_SESSION_IDLE_SECONDS);
      await this.unit.write((transaction) => this.signOns.move(transaction, sid, browser.uid));
      return browser.jti;
    });
    const { names, long } = browserCookies(this.config);
    const { cookies } = provider.createContext(request, response);
    // TLS may end before us.
    cookies.secure = long.secure;
    const maxAge = this.config.SIGNET_SESSION_IDLE_SECONDS * 1000;
    cookies.set(names.session, cookie, { ...long, overwrite: true, maxAge });
  }
}

function ended(): Problem {
  return new Problem({
    status: HttpStatus.UNAUTHORIZED,
    code: 'token_revoked',
    detail: 'The session has ended.',
  });
}
