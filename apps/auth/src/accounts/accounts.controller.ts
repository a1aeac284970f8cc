import { Body, Controller, Get, Header, HttpStatus, Post, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Authenticated, CurrentUser, Public } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';
import { ActingUser } from '@signet/database';
import type { Actor } from '@signet/database';
import { notFound, Problem, Returns } from '@signet/http';
import { FromDevice } from '../sessions/device.decorator.js';
import type { Device } from '../sessions/device.decorator.js';
import { HttpExchange } from '../sessions/exchange.decorator.js';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { LoginService } from '../sessions/login.service.js';
import { RefreshCookie } from '../sessions/refresh-cookie.js';
import type { Exchange } from '../sessions/refresh-cookie.js';
import { tokens } from '../sessions/session.schema.js';
import type { Tokens } from '../sessions/session.schema.js';
import { account, passwordChange, registration } from './account.schema.js';
import type { Account, PasswordChange, Registration } from './account.schema.js';
import { AccountsService } from './accounts.service.js';
import type { User } from './accounts.service.js';
import { Throttle } from './throttle.js';

@ApiTags('accounts')
@Controller('auth')
export class AccountsController {
  constructor(
    private readonly accounts: AccountsService,
    private readonly logins: LoginService,
    private readonly throttle: Throttle,
    private readonly cookie: RefreshCookie,
  ) {}

  @Post('register')
  @ApiOperation({
    summary: 'Opens an account with the role `customer`, and begins its first session',
  })
  @Public()
  @Header('cache-control', 'no-store')
  @Returns(201, tokens)
  @ApiResponse({ status: 409, description: 'The address has an account: `email_taken`' })
  async register(
    @Body({ schema: registration }) { transport, ...credentials }: Registration,
    @FromDevice() device: Device,
    @HttpExchange() exchange: Exchange,
  ): Promise<Tokens> {
    if (transport === 'cookie') this.cookie.assertOwnPage(exchange.request);
    // An account that is made without tokens could not be told from one that was there before.
    this.logins.assertMayIssue();
    await this.throttle.admitRegistration(device.address);
    const user = await this.accounts.create(credentials, ['customer']);
    if (user) {
      const tokens = await this.logins.begin(user, device);
      return this.cookie.deliver(tokens, { transport, ...exchange });
    }
    throw new Problem({
      status: HttpStatus.CONFLICT,
      code: 'email_taken',
      detail: 'There is an account with this email address already. Log in instead.',
    });
  }

  @Get('me')
  @ApiOperation({ summary: 'Who the token belongs to, as the account is now' })
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(200, account)
  async me(@CurrentUser() { subject }: Principal): Promise<Account> {
    const user = await this.read(subject);
    return { ...user, createdAt: user.createdAt.toISOString() };
  }

  @Post('password')
  @ApiOperation({ summary: "Sets a new password and ends the user's other sessions" })
  @Authenticated()
  @UseGuards(LiveSessionGuard)
  @Returns(204)
  async changePassword(
    @CurrentUser() { subject, sessionId }: Principal,
    @Body({ schema: passwordChange }) { currentPassword, newPassword }: PasswordChange,
    @ActingUser() actor: Actor,
    @FromDevice() { address }: Device,
  ): Promise<void> {
    const { email } = await this.read(subject);
    const user = await this.throttle.guard(email, address, () =>
      this.accounts.authenticate({ email, password: currentPassword }),
    );
    if (user) {
      return this.accounts.setPassword(user, newPassword, { actor, except: sessionId });
    }
    throw new Problem({
      status: HttpStatus.FORBIDDEN,
      code: 'wrong_password',
      detail: 'currentPassword: expected the password that the account has now.',
    });
  }

  private async read(id: string): Promise<User> {
    const user = await this.accounts.find(id);
    if (!user) throw notFound('account');
    return user;
  }
}
