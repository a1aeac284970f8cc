import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Authenticated, CurrentUser, Public } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { FromDevice } from './device.decorator.js';
import type { Device } from './device.decorator.js';
import { LiveSessionGuard } from './live-session.guard.js';
import { LoginService } from './login.service.js';
import {
  loginRequest,
  refreshRequest,
  session,
  sessionId,
  sessionQuery,
  tokens,
} from './session.schema.js';
import type {
  LoginRequest,
  RefreshRequest,
  Session,
  SessionQuery,
  Tokens,
} from './session.schema.js';
import { SessionsService } from './sessions.service.js';

@ApiTags('sessions')
@Controller('auth')
export class SessionsController {
  constructor(
    private readonly logins: LoginService,
    private readonly sessions: SessionsService,
  ) {}

  /** Begins a session. Every reason to refuse is answered alike: 401 `invalid_credentials`. */
  @Post('login')
  @Public()
  @Header('cache-control', 'no-store')
  @Returns(200, tokens)
  logIn(
    @Body({ schema: loginRequest }) credentials: LoginRequest,
    @FromDevice() device: Device,
  ): Promise<Tokens> {
    return this.logins.logIn(credentials, device);
  }

  /**
   * Exchanges a refresh token for new tokens, with the roles as they are now. Each refresh token works
   * once: sent again within seconds, because the answer was lost, it is answered with the same next
   * one, unless that has been used; sent again later it ends the session.
   */
  @Post('refresh')
  @Public()
  @Header('cache-control', 'no-store')
  @Returns(200, tokens)
  refresh(
    @Body({ schema: refreshRequest }) body: RefreshRequest,
    @FromDevice() device: Device,
  ): Promise<Tokens> {
    return this.logins.refresh(body.refresh_token, device);
  }

  /** Ends this session. Harmless when it has ended already. */
  @Post('logout')
  @Authenticated()
  @Returns(204)
  async logOut(@CurrentUser() user: Principal): Promise<void> {
    if (user.sessionId !== undefined) await this.sessions.end(user.sessionId, 'logout');
  }

  /** Ends all of the user's sessions. */
  @Post('logout-all')
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(204)
  logOutEverywhere(@CurrentUser() user: Principal): Promise<void> {
    return this.sessions.endAll(user.subject, 'logout_all');
  }

  /** The user's sessions, the newest first. */
  @Get('sessions')
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(200, pageOf(session))
  list(
    @CurrentUser() user: Principal,
    @Query({ schema: sessionQuery }) query: SessionQuery,
  ): Promise<Page<Session>> {
    return this.sessions.list(user, query);
  }

  /** Ends one of the user's sessions. */
  @Delete('sessions/:id')
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(204)
  end(
    @CurrentUser() user: Principal,
    @Param('id', { schema: sessionId }) id: string,
  ): Promise<void> {
    return this.sessions.endOne(user, id);
  }
}
