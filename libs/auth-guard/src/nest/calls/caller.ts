import type { ExecutionContext } from '@nestjs/common';
import type { Principal } from '../../token/principal.js';
import { graphqlRequestOf } from './graphql-request.js';

/** What a call leaves its principal on: the request, the socket, the context of a message. */
interface Carrier {
  user?: unknown;
}

/** Puts the principal where the rest of the application finds it: `request.user`, `client.user`. */
export function setCaller(context: ExecutionContext, principal: Principal): void {
  const carrier = carrierOf(context);
  if (carrier) carrier.user = principal;
}

/** The verified caller of a call of any kind; undefined where no token was looked at. */
export function callerOf(context: ExecutionContext): Principal | undefined {
  return carrierOf(context)?.user as Principal | undefined;
}

/**
 * The request of a call over HTTP. `switchToHttp()` would make the same of it, and three closures with it
 * each time: a third of what the guard takes for a token that it remembers.
 */
export function httpRequestOf(context: ExecutionContext): unknown {
  return context.getArgByIndex<unknown>(0);
}

function carrierOf(context: ExecutionContext): Carrier | undefined {
  switch (context.getType<string>()) {
    case 'http':
      return httpRequestOf(context) as Carrier;
    case 'graphql':
      return graphqlRequestOf(context) as Carrier | undefined;
    case 'ws':
      return context.switchToWs().getClient<Carrier>();
    case 'rpc':
      return context.switchToRpc().getContext<Carrier>();
    default:
      return undefined;
  }
}
