import type { ExecutionContext } from '@nestjs/common';
import type { Authenticator } from '../../authentication/authenticator.js';
import { InvalidTokenError } from '../../errors.js';
import type { AuthError } from '../../errors.js';
import type { Principal } from '../../token/principal.js';
import { problemOf } from '../challenge.js';
import type { CallKind } from './call-kind.js';

/** Where the messages of microservices carry a token: transports have no place in common for it. */
export interface RpcOptions {
  /**
   * Finds the access token of a message, without a scheme before it. Gets the payload, and the
   * transport's context (`KafkaContext`, gRPC's `Metadata`, …). Undefined for a message without one.
   *
   * @example
   * rpc: { token: (payload) => (payload as { accessToken?: string }).accessToken }
   */
  token: (payload: unknown, context: unknown) => string | undefined;
}

/** Messages and events of microservices. Without the option `rpc` they are denied, unless public. */
export class RpcCalls implements CallKind {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly options: RpcOptions | undefined,
  ) {}

  authenticate(context: ExecutionContext): Principal | Promise<Principal> {
    const rpc = context.switchToRpc();
    const token: unknown = this.options?.token(rpc.getData<unknown>(), rpc.getContext<unknown>());
    if (token === undefined || token === null) {
      throw new InvalidTokenError('token_missing', {
        detail: 'The message carries no access token where the service looks for one.',
      });
    }
    if (typeof token !== 'string') throw new InvalidTokenError('token_malformed');
    return this.authenticator.authenticateToken(token);
  }

  /** Nest's filter passes on what an RpcException holds; of other errors it says nothing. */
  async refuse(_context: ExecutionContext, error: AuthError): Promise<never> {
    const { RpcException } = await import('@nestjs/microservices');
    throw new RpcException(problemOf(error));
  }
}
