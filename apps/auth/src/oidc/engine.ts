import { Inject, Injectable, Logger } from '@nestjs/common';
import { loggable } from '@signet/http';
import type Provider from 'oidc-provider';
import type { Adapter } from 'oidc-provider';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Throttle } from '../accounts/throttle.js';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { ClientAdapter } from '../clients/client-adapter.js';
import { ConfiguredClients } from '../clients/configured-clients.js';
import { KeyRing } from '../keys/key-ring.js';
import { RingSigningKey } from '../keys/ring-signing-key.js';
import { SessionStore } from '../sessions/session-store.js';
import { AccessTokens } from './access-tokens.js';
import { Authorizations } from './authorizations.js';
import { Claims } from './claims.js';
import { GrantAdapter } from './grant-adapter.js';
import { GrantWatch } from './grant-watch.js';
import { askInProcess } from './in-process.js';
import { LogoutNotices } from './logout-notices.js';
import { ROUTES } from './paths.js';
import { createProvider } from './provider.js';
import { RecordAdapter } from './record-adapter.js';
import { RefreshRotation } from './refresh-rotation.js';
import { RefreshTokenAdapter } from './refresh-token-adapter.js';
import { SignOns } from './sign-ons.js';
import { UnitOfWork } from './unit-of-work.js';

/** What the token endpoint answers, as RFC 6749 sections 5.1 and 5.2 have it. */
export interface TokenEndpointAnswer {
  status: number;
  body: Record<string, unknown>;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * The protocol engine, always with the keys of the key ring. There is one at a time; a change of keys
 * replaces it between two requests.
 */
@Injectable()
export class OidcEngine {
  private readonly logger = new Logger('OidcEngine');
  private readonly host: string;
  private current: { provider: Provider; handler: Handler } | undefined;

  constructor(
    @Inject(AUTH_CONFIG) private readonly config: AuthConfig,
    private readonly keyRing: KeyRing,
    private readonly unit: UnitOfWork,
    private readonly sessions: SessionStore,
    private readonly claims: Claims,
    private readonly rotation: RefreshRotation,
    private readonly clients: ConfiguredClients,
    private readonly signOns: SignOns,
    private readonly authorizations: Authorizations,
    private readonly tokens: AccessTokens,
    private readonly throttle: Throttle,
    private readonly notices: LogoutNotices,
    private readonly grants: GrantWatch,
  ) {
    this.host = new URL(config.SIGNET_ISSUER).host;
  }

  async onModuleInit(): Promise<void> {
    await this.keyRing.start();
    this.build();
    this.keyRing.onChange(() => this.build());
  }

  /** The engine's models, for tokens that are not asked for over the protocol. */
  get provider(): Provider {
    return this.started.provider;
  }

  /** Answers a request of the protocol. Its body must not have been read yet. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    // Its key may have been withdrawn, or its tokens outlive the key.
    if (request.url?.startsWith(ROUTES.token) && !this.keyRing.maySign()) refuse(response);
    else this.started.handler(request, response);
  }

  /**
   * Asks the token endpoint in process: the same path that a client takes over the network.
   *
   * @param address of whom the request is made for
   */
  async requestToken(
    parameters: Record<string, string>,
    address: string,
  ): Promise<TokenEndpointAnswer> {
    const { status, body } = await askInProcess(
      (request, response) => this.handle(request, response),
      {
        method: 'POST',
        url: ROUTES.token,
        headers: {
          host: this.host,
          'x-forwarded-for': address,
          'content-type': 'application/x-www-form-urlencoded',
          accept: 'application/json',
        },
        body: new URLSearchParams(parameters).toString(),
      },
    );
    return { status, body: JSON.parse(body) as Record<string, unknown> };
  }

  private get started() {
    if (!this.current) throw new Error('the engine has no keys yet');
    return this.current;
  }

  private build(): void {
    const provider = createProvider({
      config: this.config,
      claims: this.claims,
      unit: this.unit,
      rotation: this.rotation,
      sessions: this.sessions,
      signOns: this.signOns,
      authorizations: this.authorizations,
      tokens: this.tokens,
      throttle: this.throttle,
      notices: this.notices,
      clients: this.clients.forEngine(),
      keys: this.keyRing
        .published()
        .map((key) => new RingSigningKey(key, () => this.keyRing.maySign())),
      keysAreCurrent: () => this.keyRing.isCurrent(),
      adapter: (model) => this.adapterOf(model),
    });
    const report = (error: Error) => this.logger.error(loggable(error));
    provider.on('server_error', (_context, error) => report(error));
    (provider as EventEmitter).on('error', report);
    this.grants.watch(provider);
    const handler = provider.callback();
    this.current = { provider, handler: (request, response) => void handler(request, response) };
  }

  private adapterOf(model: string): Adapter {
    const { config, unit, sessions, rotation } = this;
    if (model === 'Client') return new ClientAdapter(unit);
    if (model === 'Grant') return new GrantAdapter(unit, sessions);
    if (model !== 'RefreshToken') {
      return new RecordAdapter(model, unit, sessions, config.SIGNET_COOKIE_SECRET);
    }
    return new RefreshTokenAdapter({ config, unit, sessions, rotation });
  }
}

function refuse(response: ServerResponse): void {
  const body = {
    error: 'temporarily_unavailable',
    error_description: 'no token can be signed now',
  };
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '5' });
  response.end(JSON.stringify(body));
}
