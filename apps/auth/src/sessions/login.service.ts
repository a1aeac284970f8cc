import { HttpStatus, Inject, Injectable } from '@nestjs/common';
import { Problem } from '@signet/http';
import { AccountsService } from '../accounts/accounts.service.js';
import type { Credentials, User } from '../accounts/accounts.service.js';
import { Throttle } from '../accounts/throttle.js';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { KeyRing } from '../keys/key-ring.js';
import { AUDIENCES, PLATFORM } from '../oidc/audiences.js';
import { FIRST_PARTY } from '../clients/grants.js';
import { OidcEngine } from '../oidc/engine.js';
import { resourceServer } from '../oidc/resource-servers.js';
import { UnitOfWork } from '../oidc/unit-of-work.js';
import { BY_PASSWORD } from './authentication.js';
import type { Device } from './device.decorator.js';
import { SessionStore } from './session-store.js';
import { issuedTokens } from './session.schema.js';
import type { IssuedTokens } from './session.schema.js';

const SCOPE = AUDIENCES[PLATFORM].join(' ');

/** First-party login: credentials for tokens, which are the engine's own. */
@Injectable()
export class LoginService {
  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly accounts: AccountsService,
    private readonly throttle: Throttle,
    private readonly engine: OidcEngine,
    private readonly keys: KeyRing,
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
  ) {}

  /**
   * To be asked before anything is done for somebody who is to get tokens.
   *
   * @throws {Problem} 503 `temporarily_unavailable` while nobody can say which key may sign
   */
  assertMayIssue(): void {
    if (this.keys.maySign()) return;
    throw new Problem({
      status: HttpStatus.SERVICE_UNAVAILABLE,
      code: 'temporarily_unavailable',
      detail: 'No token can be signed now. Try again shortly.',
      retryAfter: 5,
    });
  }

  /** @throws {Problem} 401 `invalid_credentials`, 429 `too_many_attempts`, 503 `busy` or as `assertMayIssue` */
  async logIn(credentials: Credentials, device: Device): Promise<IssuedTokens> {
    this.assertMayIssue();
    const user = await this.throttle.guard(credentials.email, device.address, () =>
      this.accounts.authenticate(credentials),
    );
    if (!user) throw wrongCredentials();
    return this.begin(user, device);
  }

  /**
   * Begins a session for someone who has just proved who they are.
   *
   * @throws {Problem} 401 `invalid_credentials`, or as `assertMayIssue`
   */
  async begin(user: User, device: Device): Promise<IssuedTokens> {
    return this.whileKeysMaySign(() =>
      this.unit.run(async () => {
        const unchanged = await this.unit.write((transaction) =>
          this.accounts.hold(transaction, user),
        );
        if (!unchanged) throw wrongCredentials();
        return this.issue(user.id, device);
      }),
    );
  }

  /**
   * Exchanges a refresh token for the next one, at the engine's token endpoint.
   *
   * @throws {Problem} 401 `invalid_grant`, or as `assertMayIssue`
   */
  refresh(refreshToken: string, { address }: Device): Promise<IssuedTokens> {
    return this.whileKeysMaySign(() => this.exchange(refreshToken, address));
  }

  /** What fails because that has changed under way, fails for the same reason. */
  private async whileKeysMaySign<Result>(work: () => Promise<Result>): Promise<Result> {
    this.assertMayIssue();
    try {
      return await work();
    } catch (error) {
      this.assertMayIssue();
      throw error;
    }
  }

  private async exchange(refreshToken: string, address: string): Promise<IssuedTokens> {
    const { status, body } = await this.engine.requestToken(
      { grant_type: 'refresh_token', client_id: FIRST_PARTY, refresh_token: refreshToken },
      address,
    );
    if (status === 200) return issuedTokens.parse(body);
    if (body.error !== 'invalid_grant') {
      throw new Error(`the token endpoint answered ${status} ${String(body.error)}`);
    }
    throw new Problem({
      status: HttpStatus.UNAUTHORIZED,
      code: 'invalid_grant',
      detail: 'The refresh token is not valid, or not any more. Log in again.',
    });
  }

  private async issue(userId: string, device: Device): Promise<IssuedTokens> {
    const { provider } = this.engine;
    const client = await provider.Client.find(FIRST_PARTY);
    if (!client) throw new Error(`there is no client ${FIRST_PARTY}`);

    const grant = new provider.Grant({ accountId: userId, clientId: FIRST_PARTY });
    grant.addResourceScope(PLATFORM, SCOPE);
    const sid = await grant.save();
    const session = { sid, userId, clientId: FIRST_PARTY, ...BY_PASSWORD, ...device };
    await this.unit.write((transaction) => this.sessions.begin(transaction, session));

    const common = { client, accountId: userId, grantId: sid, gty: 'first_party', scope: SCOPE };
    const refreshToken = new provider.RefreshToken({ ...common, resource: PLATFORM, rotations: 0 });
    const lifetime = this.config.SIGNET_ACCESS_TOKEN_SECONDS;
    const accessToken = new provider.AccessToken({
      ...common,
      resourceServer: new provider.ResourceServer(PLATFORM, resourceServer(SCOPE, lifetime)),
    });
    return {
      access_token: await accessToken.save(),
      token_type: accessToken.tokenType,
      expires_in: accessToken.expiration,
      refresh_token: await refreshToken.save(),
      scope: SCOPE,
    };
  }
}

function wrongCredentials(): Problem {
  return new Problem({
    status: HttpStatus.UNAUTHORIZED,
    code: 'invalid_credentials',
    detail: 'Wrong email address or password.',
  });
}
