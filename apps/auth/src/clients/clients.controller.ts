import { Body, Controller, Get, Header, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireFresh, Roles } from '@signet/auth-guard';
import { ActingUser } from '@signet/database';
import type { Actor } from '@signet/database';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { ClientDirectory } from './client-directory.js';
import {
  client,
  clientId,
  clientQuery,
  clientRegistration,
  newSecret,
  registeredClient,
  secretRotation,
} from './client.schema.js';
import type {
  ClientQuery,
  ClientRegistration,
  ClientView,
  NewSecret,
  RegisteredClient,
  SecretRotation,
} from './client.schema.js';
import { ClientsService } from './clients.service.js';

@ApiTags('administration')
@Controller('admin/clients')
@Roles('admin')
@UseGuards(LiveSessionGuard)
export class ClientsController {
  constructor(
    private readonly directory: ClientDirectory,
    private readonly clients: ClientsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'The applications that may ask for tokens, the newest first' })
  @Returns(200, pageOf(client))
  list(@Query({ schema: clientQuery }) query: ClientQuery): Promise<Page<ClientView>> {
    return this.directory.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One application' })
  @Returns(200, client)
  read(@Param('id', { schema: clientId }) id: string): Promise<ClientView> {
    return this.directory.read(id);
  }

  @Post()
  @ApiOperation({
    summary: 'Registers an application',
    description: 'Its secret, if it has one, is in this answer and nowhere else.',
  })
  @RequireFresh()
  @Header('cache-control', 'no-store')
  @Returns(201, registeredClient)
  register(
    @Body({ schema: clientRegistration }) registration: ClientRegistration,
    @ActingUser() actor: Actor,
  ): Promise<RegisteredClient> {
    return this.clients.register(registration, actor);
  }

  @Put(':id')
  @ApiOperation({ summary: 'Replaces what an application may do' })
  @RequireFresh()
  @Returns(200, client)
  replace(
    @Param('id', { schema: clientId }) id: string,
    @Body({ schema: clientRegistration }) registration: ClientRegistration,
    @ActingUser() actor: Actor,
  ): Promise<ClientView> {
    return this.clients.replace(id, registration, actor);
  }

  @Post(':id/secret')
  @ApiOperation({
    summary: 'Gives an application a new secret, which is in this answer and nowhere else',
  })
  @RequireFresh()
  @Header('cache-control', 'no-store')
  @Returns(200, newSecret)
  rotateSecret(
    @Param('id', { schema: clientId }) id: string,
    @Body({ schema: secretRotation }) { overlap_seconds }: SecretRotation,
    @ActingUser() actor: Actor,
  ): Promise<NewSecret> {
    return this.clients.rotateSecret(id, overlap_seconds, actor);
  }

  @Post(':id/disable')
  @ApiOperation({
    summary:
      'Gives an application no token any more, and ends the sessions that its users have there',
  })
  @Returns(200, client)
  disable(
    @Param('id', { schema: clientId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<ClientView> {
    return this.clients.disable(id, actor);
  }

  @Post(':id/enable')
  @ApiOperation({
    summary: 'Lets an application ask for tokens again',
    description: 'Sessions that it had stay ended.',
  })
  @RequireFresh()
  @Returns(200, client)
  enable(
    @Param('id', { schema: clientId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<ClientView> {
    return this.clients.enable(id, actor);
  }
}
