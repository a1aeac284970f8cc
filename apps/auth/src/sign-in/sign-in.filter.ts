import { Catch, HttpException, Logger } from '@nestjs/common';
import { isUnavailable, loggable, Problem, rootCause } from '@signet/http';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { errors } from 'oidc-provider';
import type { Page } from './pages/page.js';
import { messagePage } from './pages/pages.js';
import { sendPage } from './send-page.js';

interface Described {
  page: Page;
  status: number;
  /** Seconds. */
  retryAfter?: number | undefined;
}

/** What goes wrong is told on a page: people are here. */
@Catch()
export class SignInFilter implements ExceptionFilter {
  private readonly logger = new Logger('SignIn');

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { page, status, retryAfter } = this.describe(error);
    if (retryAfter !== undefined) void reply.header('retry-after', String(retryAfter));
    void reply.send(sendPage(reply, page, status));
  }

  private describe(error: unknown): Described {
    if (error instanceof errors.SessionNotFound) {
      const text = 'Go back to the application that you came from, and sign in again from there.';
      return { page: messagePage('This sign-in is over', text), status: 400 };
    }
    if (error instanceof HttpException) {
      const page = messagePage('This did not work', error.message);
      const retryAfter = error instanceof Problem ? error.retryAfter : undefined;
      return { page, status: error.getStatus(), retryAfter };
    }
    const cause = rootCause(error);
    if (isUnavailable(cause)) {
      this.logger.warn(String(cause));
      const text = 'There is more to do than can be done right now. Try again in a moment.';
      return { page: messagePage('Please wait', text), status: 503, retryAfter: 1 };
    }
    this.logger.error(loggable(error));
    const text = 'It is not your doing. Try again later.';
    return { page: messagePage('Something went wrong', text), status: 500 };
  }
}
