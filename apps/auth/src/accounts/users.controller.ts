import { Body, Controller, Delete, Get, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireFresh, Roles } from '@signet/auth-guard';
import { ActingUser } from '@signet/database';
import type { Actor } from '@signet/database';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { session, sessionId, sessionQuery } from '../sessions/session.schema.js';
import type { Session, SessionQuery } from '../sessions/session.schema.js';
import { SessionsService } from '../sessions/sessions.service.js';
import { roleChange, user, userId, userQuery } from './account.schema.js';
import type { RoleChange, UserQuery, UserView } from './account.schema.js';
import { UserAdministrationService } from './user-administration.service.js';

@ApiTags('administration')
@Controller('admin/users')
@Roles('admin')
@UseGuards(LiveSessionGuard)
export class UsersController {
  constructor(
    private readonly users: UserAdministrationService,
    private readonly sessions: SessionsService,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Accounts, the oldest first' })
  @Returns(200, pageOf(user))
  list(@Query({ schema: userQuery }) query: UserQuery): Promise<Page<UserView>> {
    return this.users.list(query);
  }

  @Get(':id')
  @ApiOperation({ summary: 'One account' })
  @Returns(200, user)
  read(@Param('id', { schema: userId }) id: string): Promise<UserView> {
    return this.users.read(id);
  }

  @Put(':id/roles')
  @ApiOperation({
    summary: 'Replaces the roles',
    description: "They are in the user's next token.",
  })
  @RequireFresh()
  @Returns(200, user)
  setRoles(
    @Param('id', { schema: userId }) id: string,
    @Body({ schema: roleChange }) { roles }: RoleChange,
    @ActingUser() actor: Actor,
  ): Promise<UserView> {
    return this.users.setRoles(id, roles, actor);
  }

  @Post(':id/disable')
  @ApiOperation({ summary: 'Closes the account and ends its sessions' })
  @Returns(200, user)
  disable(
    @Param('id', { schema: userId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<UserView> {
    return this.users.disable(id, actor);
  }

  @Post(':id/enable')
  @ApiOperation({ summary: 'Opens the account again', description: 'Its sessions stay ended.' })
  @RequireFresh()
  @Returns(200, user)
  enable(
    @Param('id', { schema: userId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<UserView> {
    return this.users.enable(id, actor);
  }

  @Delete(':id/sessions')
  @ApiOperation({ summary: 'Ends all sessions of the user, who may log in again' })
  @Returns(204)
  endSessions(
    @Param('id', { schema: userId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<void> {
    return this.users.endSessions(id, actor);
  }

  @Get(':id/sessions')
  @ApiOperation({ summary: "The user's sessions, the newest first" })
  @Returns(200, pageOf(session))
  async listSessions(
    @Param('id', { schema: userId }) id: string,
    @Query({ schema: sessionQuery }) query: SessionQuery,
  ): Promise<Page<Session>> {
    await this.users.read(id);
    return this.sessions.list(id, query);
  }

  @Delete(':id/sessions/:sid')
  @ApiOperation({ summary: 'Ends one session of the user' })
  @Returns(204)
  endSession(
    @Param('id', { schema: userId }) id: string,
    @Param('sid', { schema: sessionId }) sid: string,
    @ActingUser() actor: Actor,
  ): Promise<void> {
    return this.sessions.endForUser(id, sid, actor);
  }
}
