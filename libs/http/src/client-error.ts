import { HttpStatus } from '@nestjs/common';
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { problemType, statusTitle } from './problem.js';

/** What Node's HTTP parser refuses by itself, and how it is answered. Anything else is 400. */
const ANSWERS: Record<string, { status: number; code: string; detail: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: 'headers_too_large',
    detail: 'The headers of a request, its path included, may have 16 KiB.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: HttpStatus.REQUEST_TIMEOUT,
    code: 'request_timeout',
    detail: 'The request did not arrive in time.',
  },
};

const MALFORMED = {
  status: HttpStatus.BAD_REQUEST,
  code: 'bad_request',
  detail: 'What came is not a request of HTTP/1.1.',
};

/** Answers with problem details what does not even become a request, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, code, detail } = ANSWERS[error.code ?? ''] ?? MALFORMED;
  const title = statusTitle(status);
  const body = JSON.stringify({ type: problemType(code), title, status, code, detail });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
