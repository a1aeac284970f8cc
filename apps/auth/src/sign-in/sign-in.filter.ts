import { Catch, HttpException, Logger } from '@nestjs/common';
import { loggable } from '@signet/http';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { errors } from 'oidc-provider';
import { messagePage } from './pages/pages.js';
import { sendPage } from './send-page.js';

/** What goes wrong is told on a page: people are here. */
@Catch()
export class SignInFilter implements ExceptionFilter {
  private readonly logger = new Logger('SignIn');

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    void reply.send(sendPage(reply, ...this.describe(error)));
  }

  private describe(error: unknown): [page: ReturnType<typeof messagePage>, status: number] {
    if (error instanceof errors.SessionNotFound) {
      const text = 'Go back to the application that you came from, and sign in again from there.';
      return [messagePage('This sign-in is over', text), 400];
    }
    if (error instanceof HttpException) {
      return [messagePage('This did not work', error.message), error.getStatus()];
    }
    this.logger.error(loggable(error));
    return [messagePage('Something went wrong', 'It is not your doing. Try again later.'), 500];
  }
}
