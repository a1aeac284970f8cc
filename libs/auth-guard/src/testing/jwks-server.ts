import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonWebKeySet } from '../keys/jwk-set.js';

/** A key set on a free port of this machine, with a switch to make it fail. */
export interface JwksServer {
  /** For `keys: { jwksUri }`. */
  readonly jwksUri: string;
  /** How often it was asked. */
  readonly requests: number;
  /** Answers like this from now on; undefined for the key set again. */
  answerWith(answer: ((response: ServerResponse) => void) | undefined): void;
  /** Ends it, and what connections there are. */
  close(): Promise<void>;
}

const KEY_SET_TYPE = 'application/jwk-set+json';

/** Serves what `keySet()` returns at each request. */
export async function serveKeySet(keySet: () => JsonWebKeySet): Promise<JwksServer> {
  let requests = 0;
  let answer: ((response: ServerResponse) => void) | undefined;
  const server = createServer((_request, response) => {
    requests += 1;
    if (answer) answer(response);
    else response.setHeader('content-type', KEY_SET_TYPE).end(JSON.stringify(keySet()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    jwksUri: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    get requests() {
      return requests;
    },
    answerWith: (next) => (answer = next),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}
