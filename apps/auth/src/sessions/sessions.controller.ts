import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpStatus,
  Param,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Authenticated, CurrentUser, Public } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { pageOf, Problem, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { FromDevice } from './device.decorator.js';
import type { Device } from './device.decorator.js';
import { HttpExchange } from './exchange.decorator.js';
import { LiveSessionGuard } from './live-session.guard.js';
import { LoginService } from './login.service.js';
import { RefreshCookie } from './refresh-cookie.js';
import type { Exchange } from './refresh-cookie.js';
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
    private readonly cookie: RefreshCookie,
  ) {}

  @Post('login')
  @ApiOperation({
    summary: 'Begins a session',
    description: 'Every reason to refuse is answered alike: 401 `invalid_credentials`.',
  })
  @Public()
  @Header('cache-control', 'no-store')
  @Returns(200, tokens)
  async logIn(
    @Body({ schema: loginRequest }) { transport, ...credentials }: LoginRequest,
    @FromDevice() device: Device,
    @HttpExchange() exchange: Exchange,
  ): Promise<Tokens> {
    if (transport === 'cookie') this.cookie.assertOwnPage(exchange.request);
    const tokens = await this.logins.logIn(credentials, device);
    return this.cookie.deliver(tokens, { transport, ...exchange });
  }

  @Post('refresh')
  @ApiOperation({
    summary: 'Exchanges a refresh token for new tokens, with the roles as they are now',
    description:
      'Each refresh token works once: sent again within seconds, because the answer was lost, it is answered with the same next one, unless that has been used; sent again later it ends the session. Without `refresh_token` in the body it is taken from the cookie, and so is the next one handed out.',
  })
  @Public()
  @Header('cache-control', 'no-store')
  @Returns(200, tokens)
  async refresh(
    @Body({ schema: refreshRequest }) { refresh_token: given }: RefreshRequest,
    @FromDevice() device: Device,
    @HttpExchange() exchange: Exchange,
  ): Promise<Tokens> {
    if (given !== undefined) return this.logins.refresh(given, device);
    const token = this.cookie.read(exchange.request);
    if (token === undefined) throw noRefreshToken();
    try {
      const tokens = await this.logins.refresh(token, device);
      return this.cookie.deliver(tokens, { transport: 'cookie', ...exchange });
    } catch (error) {
      if (error instanceof Problem && error.code === 'invalid_grant') this.cookie.clear(exchange);
      throw error;
    }
  }

  @Post('logout')
  @ApiOperation({
    summary: 'Ends this session',
    description: 'Harmless when it has ended already.',
  })
  @Authenticated()
  @Returns(204)
  async logOut(@CurrentUser() user: Principal, @HttpExchange() exchange: Exchange): Promise<void> {
    this.cookie.clear(exchange);
    if (user.sessionId !== undefined) await this.sessions.end(user.sessionId, 'logout');
  }

  @Post('logout-all')
  @ApiOperation({ summary: "Ends all of the user's sessions" })
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(204)
  logOutEverywhere(
    @CurrentUser() user: Principal,
    @HttpExchange() exchange: Exchange,
  ): Promise<void> {
    this.cookie.clear(exchange);
    return this.sessions.endAll(user.subject, 'logout_all');
  }

  @Get('sessions')
  @ApiOperation({ summary: "The user's sessions, the newest first" })
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(200, pageOf(session))
  list(
    @CurrentUser() user: Principal,
    @Query({ schema: sessionQuery }) query: SessionQuery,
  ): Promise<Page<Session>> {
    return this.sessions.list(user.subject, query, user.sessionId);
  }

  @Delete('sessions/:id')
  @ApiOperation({ summary: "Ends one of the user's sessions" })
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

function noRefreshToken(): Problem {
  return new Problem({
    status: HttpStatus.BAD_REQUEST,
    code: 'validation_failed',
    detail: 'refresh_token: expected the refresh token, here or in the cookie.',
  });
}
