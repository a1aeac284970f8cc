import { Controller, Header, HttpStatus, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Authenticated, CurrentUser } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { Problem, Returns } from '@signet/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FIRST_PARTY } from '../clients/grants.js';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { BrowserSignOnService } from './browser-sign-on.service.js';

@ApiTags('sessions')
@Controller('auth')
export class SignOnController {
  constructor(private readonly browsers: BrowserSignOnService) {}

  @Post('sign-on')
  @ApiOperation({
    summary:
      'Signs the browser on, for whichever application sends it here next: a page that has logged its user in over JSON calls this, and nobody asks for the password again',
    description: 'The sign-on ends with the session.',
  })
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Header('cache-control', 'no-store')
  @Returns(204)
  async signOn(
    @CurrentUser() { clientId, sessionId }: Principal,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    // Other applications were trusted with less than to say who uses this browser.
    if (clientId !== FIRST_PARTY || sessionId === undefined) throw notFirstParty();
    await this.browsers.signOn({ request: request.raw, response: reply.raw }, sessionId);
  }
}

function notFirstParty(): Problem {
  return new Problem({
    status: HttpStatus.FORBIDDEN,
    code: 'not_first_party',
    detail: 'Log in over JSON first: expected the access token of such a login.',
  });
}
