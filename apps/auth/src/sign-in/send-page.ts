import type { FastifyReply } from 'fastify';
import type { KoaContextWithOIDC } from 'oidc-provider';
import type { Page } from './pages/page.js';

export function sendPage(reply: FastifyReply, { html, headers }: Page, status = 200): string {
  void reply.status(status).headers(headers);
  return html;
}

/** For the pages that belong to a request of the engine's. */
export function answerWithPage(context: KoaContextWithOIDC, { html, headers }: Page): void {
  context.set(headers);
  context.body = html;
}
