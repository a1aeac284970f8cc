import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { Authenticator } from '../../authentication/authenticator.js';
import type { TokenRequest } from '../../authentication/credentials.js';
import { systemClock } from '../../clock.js';
import type { Clock } from '../../clock.js';
import {
  AmbiguousRequestError,
  AuthError,
  InvalidTokenError,
  KeysUnavailableError,
} from '../../errors.js';
import type { AuthErrorCode } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { MODULE_OPTIONS_TOKEN } from '../module-definition.js';
import type { AuthGuardOptions } from '../options.js';
import { closeSocket, isClosed, onceClosed } from './socket.js';

interface Connection {
  readonly token: string;
  principal: Principal;
  cancelTimer: () => void;
}

/** While a token that is over by the clock passes for the tolerance, and while keys cannot be had. */
const RETRY_SECONDS = 1;

/**
 * The sockets that a token opened. Each is closed when its token is over: by the clock, because it was
 * revoked, because the key that signed it was withdrawn, or because somebody says so.
 *
 * @example
 * connections.closeWhere(({ sessionId }) => sessionId === revoked.sid);
 */
@Injectable()
export class LiveConnections implements OnApplicationShutdown {
  private readonly connections = new Map<object, Connection>();
  private readonly anonymous = new WeakSet();
  private readonly clock: Clock;

  constructor(
    private readonly authenticator: Authenticator,
    @Inject(MODULE_OPTIONS_TOKEN) { clock }: AuthGuardOptions,
  ) {
    this.clock = clock ?? systemClock;
  }

  /** How many sockets are open whose token is watched. */
  get size(): number {
    return this.connections.size;
  }

  /**
   * Closes the sockets that were opened with such tokens, with 4401 and `reason`, before their time.
   *
   * @returns how many
   */
  closeWhere(
    concerns: (principal: Principal) => boolean,
    reason: AuthErrorCode = 'token_revoked',
  ): number {
    const concerned = [...this.connections].filter(([, { principal }]) => concerns(principal));
    const error = new InvalidTokenError(reason);
    for (const [client] of concerned) this.end(client, error);
    return concerned.length;
  }

  /**
   * Authenticates whoever opens a connection, and watches it from then on. For one that is watched
   * already, asks whether its token still holds.
   *
   * @throws {AuthError}
   */
  authenticate(client: object, request: TokenRequest): Principal | Promise<Principal> {
    const { token } = this.authenticator.credentialsOf(request);
    const connection = this.connections.get(client);
    if (connection && connection.token !== token) {
      throw new AmbiguousRequestError('The connection was opened with another access token.');
    }
    if (connection) return this.authenticateAgain(client);
    const principal = this.authenticator.authenticate(request);
    if (!(principal instanceof Promise)) return this.watch(client, token, principal);
    // While a proof was looked up, the token may have been taken back.
    return principal
      .then(() => this.authenticator.recheck(token))
      .then((verified) => this.watch(client, token, verified));
  }

  /** Lets a connection be that brought no token: only public messages are open to it. */
  admitAnonymous(client: object): void {
    this.anonymous.add(client);
  }

  /**
   * Whether the token that opened a connection still holds.
   *
   * @throws {AuthError}
   */
  authenticateAgain(client: object): Principal | Promise<Principal> {
    const connection = this.connections.get(client);
    if (connection) return this.authenticator.recheck(connection.token);
    if (this.anonymous.has(client)) {
      throw new InvalidTokenError('token_missing', {
        detail: 'The connection was opened without an access token.',
      });
    }
    throw new AuthError('context_unsupported', { detail: 'The connection was not authenticated.' });
  }

  /** Closes a connection, and says why. */
  end(client: object, reason: AuthError): void {
    this.forget(client);
    closeSocket(client, reason);
  }

  /** @internal */
  onApplicationShutdown(): void {
    for (const client of [...this.connections.keys()]) this.forget(client);
  }

  private watch(client: object, token: string, principal: Principal): Principal {
    // Or watched since: GraphQL asks for several operations at a time.
    if (isClosed(client) || this.connections.has(client)) return principal;
    const connection = { token, principal, cancelTimer: () => undefined };
    this.connections.set(client, connection);
    onceClosed(client, () => this.forget(client));
    this.schedule(client, connection, principal.expiresAt);
    return principal;
  }

  private schedule(client: object, connection: Connection, at: number): void {
    const delay = Math.max(RETRY_SECONDS * 1000, at * 1000 - this.clock.now());
    connection.cancelTimer = this.clock.after(delay, () => void this.review(client));
  }

  /** The token should be over now; the verifier has the word. */
  private async review(client: object): Promise<void> {
    const connection = this.connections.get(client);
    if (!connection) return;
    try {
      const { expiresAt } = await this.authenticateAgain(client);
      this.schedule(client, connection, expiresAt);
    } catch (error) {
      // Without keys nothing can be said, but nothing keeps a token alive that is over by the clock.
      const over = this.clock.now() >= connection.principal.expiresAt * 1000;
      if (error instanceof KeysUnavailableError && !over) this.schedule(client, connection, 0);
      else
        this.end(
          client,
          error instanceof AuthError ? error : new InvalidTokenError('token_expired'),
        );
    }
  }

  private forget(client: object): void {
    this.connections.get(client)?.cancelTimer();
    this.connections.delete(client);
  }
}
