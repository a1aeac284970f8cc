import { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { Socket } from 'node:net';

export interface InProcessAnswer {
  status: number;
  body: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Asks a handler of Node's own kind without a network between. Node's own classes stand for the
 * request and its answer, with no stream and no HTTP text made of them, which would take longer than
 * many a handler.
 */
export function askInProcess(
  handle: Handler,
  request: { method: string; url: string; headers: IncomingHttpHeaders; body: string },
): Promise<InProcessAnswer> {
  return new Promise((resolve) => {
    const asked = new InProcessRequest(request);
    handle(asked, new InProcessResponse(asked, resolve));
  });
}

/** Of requests that came over none. It is never connected. */
const NO_SOCKET = new Socket();

/** Its body is read by iteration, in one piece. */
class InProcessRequest extends IncomingMessage {
  private readonly body: Buffer;

  constructor({ body, ...request }: Parameters<typeof askInProcess>[1]) {
    super(NO_SOCKET);
    this.body = Buffer.from(body);
    const length = String(this.body.length);
    Object.assign(this, request, { headers: { ...request.headers, 'content-length': length } });
  }

  override async *iterator(): ReturnType<IncomingMessage['iterator']> {
    yield await Promise.resolve(this.body);
  }
}

class InProcessResponse extends ServerResponse {
  constructor(
    request: IncomingMessage,
    private readonly answer: (answer: InProcessAnswer) => void,
  ) {
    super(request);
  }

  override end(body?: unknown): this {
    const text = typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : '';
    this.answer({ status: this.statusCode, body: text });
    return this;
  }
}
