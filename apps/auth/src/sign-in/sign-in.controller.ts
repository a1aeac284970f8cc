import {
  Body,
  Controller,
  Get,
  HttpException,
  HttpStatus,
  Param,
  Post,
  Req,
  Res,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Public } from '@signet/auth-guard';
import { TakesForm } from '@signet/http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errors } from 'oidc-provider';
import { FromDevice } from '../sessions/device.decorator.js';
import type { Device } from '../sessions/device.decorator.js';
import { loginRequest } from '../sessions/session.schema.js';
import { sendPage } from './send-page.js';
import { SameOriginGuard } from './same-origin.guard.js';
import { SignInFilter } from './sign-in.filter.js';
import { SignInPages } from './sign-in-pages.service.js';
import { SignInService } from './sign-in.service.js';

const REFUSED = 'Wrong email address or password.';

/** The pages between an application's request and its code: signing in, and consent. */
@ApiExcludeController()
@Controller('sign-in/:uid')
@Public()
@UseGuards(SameOriginGuard)
@UseFilters(SignInFilter)
export class SignInController {
  constructor(
    private readonly service: SignInService,
    private readonly pages: SignInPages,
  ) {}

  @Get()
  async show(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const interaction = await this.service.find(exchange(request, reply), uid);
    return sendPage(reply, await this.pages.of(interaction));
  }

  @Post()
  @TakesForm()
  async signIn(
    @Param('uid') uid: string,
    @Body() body: unknown,
    @FromDevice() device: Device,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const at = exchange(request, reply);
    const interaction = await this.service.find(at, uid);
    if (interaction.prompt.name !== 'login') throw new errors.SessionNotFound('no sign-in is due');
    const form = loginRequest.safeParse(body);
    const again = async (error: string, status: number) =>
      sendPage(reply, await this.pages.of(interaction, { error, email: emailIn(body) }), status);
    try {
      const next = form.success && (await this.service.signIn(at, form.data, device));
      return next ? goOn(reply, next) : await again(REFUSED, HttpStatus.UNAUTHORIZED);
    } catch (error) {
      // Too many attempts, or too many passwords being checked: the form stays for later.
      if (!(error instanceof HttpException)) throw error;
      return again(error.message, error.getStatus());
    }
  }

  @Post('consent')
  @TakesForm()
  async consent(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const at = exchange(request, reply);
    const interaction = await this.service.find(at, uid);
    if (interaction.prompt.name !== 'consent') throw new errors.SessionNotFound('none is due');
    return goOn(reply, await this.service.consent(at));
  }

  @Post('cancel')
  @TakesForm()
  async cancel(
    @Param('uid') uid: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const at = exchange(request, reply);
    await this.service.find(at, uid);
    return goOn(reply, await this.service.cancel(at));
  }
}

function exchange(request: FastifyRequest, reply: FastifyReply) {
  return { request: request.raw, response: reply.raw };
}

/** 303: the form is not sent again to where the browser goes on. */
function goOn(reply: FastifyReply, to: string): string {
  void reply
    .status(HttpStatus.SEE_OTHER)
    .header('location', to)
    .header('cache-control', 'no-store');
  return '';
}

function emailIn(body: unknown): string {
  const email = typeof body === 'object' && body !== null && 'email' in body ? body.email : '';
  return typeof email === 'string' ? email.slice(0, 254) : '';
}
