import type { ExecutionContext } from '@nestjs/common';
import type { TokenRequest } from '../../authentication/credentials.js';

type Bag = Record<string, unknown>;

/** What is found of a GraphQL call: the request that it came in, and the socket if it came over one. */
export interface GraphqlOrigin {
  request: TokenRequest;
  /** `operation.operation` of the document: `query`, `mutation` or `subscription`. */
  operation: unknown;
  /** The WebSocket that it came over, when the context holds it. */
  socket: object | undefined;
  /** The answer on its way, when the context holds it. */
  reply: unknown;
}

/** The request behind a GraphQL call, as Apollo and Mercurius leave it in the context. */
export function graphqlRequestOf(context: ExecutionContext): TokenRequest | undefined {
  return graphqlOriginOf(context)?.request;
}

/**
 * Finds the request behind a GraphQL call: `req` in the context (Nest puts it there for Apollo and
 * for Mercurius), or `request`, or the upgrade that opened a socket of graphql-ws (`extra.request`).
 *
 * @returns undefined when the context holds none
 */
export function graphqlOriginOf(context: ExecutionContext): GraphqlOrigin | undefined {
  const args = context.getArgs<unknown[]>();
  // Root, arguments, context, info; reference resolvers have no arguments.
  const [bag, info] = args.length === 3 ? args.slice(1) : args.slice(2);
  if (!isBag(bag)) return undefined;
  const outer = isBag(bag.req) ? bag.req : bag;
  const extra = isBag(outer.extra) ? outer.extra : undefined;
  const request = [extra?.request, bag.req, bag.request].find(isRequest);
  if (!request) return undefined;
  return {
    request,
    operation: operationOf(info),
    socket: [extra?.socket, bag.socket].find(isWebSocket),
    reply: bag.reply ?? bag.res ?? (request as unknown as Bag).res,
  };
}

function operationOf(info: unknown): unknown {
  const operation = isBag(info) ? info.operation : undefined;
  return isBag(operation) ? operation.operation : undefined;
}

function isRequest(value: unknown): value is TokenRequest {
  return isBag(value) && isBag(value.headers);
}

/** Not the socket of a request of HTTP, which is one caller's after another's: its state is a word. */
function isWebSocket(value: unknown): value is object {
  return isBag(value) && typeof value.readyState === 'number';
}

function isBag(value: unknown): value is Bag {
  return typeof value === 'object' && value !== null;
}
