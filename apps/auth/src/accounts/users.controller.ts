import { Body, Controller, Delete, Get, Param, Post, Put, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
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

  /** Accounts, the oldest first. */
  @Get()
  @Returns(200, pageOf(user))
  list(@Query({ schema: userQuery }) query: UserQuery): Promise<Page<UserView>> {
    return this.users.list(query);
  }

  /** One account. */
  @Get(':id')
  @Returns(200, user)
  read(@Param('id', { schema: userId }) id: string): Promise<UserView> {
    return this.users.read(id);
  }

  /** Replaces the roles. They are in the user's next token. */
  @Put(':id/roles')
  @RequireFresh()
  @Returns(200, user)
  setRoles(
    @Param('id', { schema: userId }) id: string,
    @Body({ schema: roleChange }) { roles }: RoleChange,
    @ActingUser() actor: Actor,
  ): Promise<UserView> {
    return this.users.setRoles(id, roles, actor);
  }

  /** Closes the account and ends its sessions. */
  @Post(':id/disable')
  @Returns(200, user)
  disable(
    @Param('id', { schema: userId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<UserView> {
    return this.users.disable(id, actor);
  }

  /** Opens the account again. Its sessions stay ended. */
  @Post(':id/enable')
  @RequireFresh()
  @Returns(200, user)
  enable(
    @Param('id', { schema: userId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<UserView> {
    return this.users.enable(id, actor);
  }

  /** Ends all sessions of the user, who may log in again. */
  @Delete(':id/sessions')
  @Returns(204)
  endSessions(
    @Param('id', { schema: userId }) id: string,
    @ActingUser() actor: Actor,
  ): Promise<void> {
    return this.users.endSessions(id, actor);
  }

  /** The user's sessions, the newest first. */
  @Get(':id/sessions')
  @Returns(200, pageOf(session))
  async listSessions(
    @Param('id', { schema: userId }) id: string,
    @Query({ schema: sessionQuery }) query: SessionQuery,
  ): Promise<Page<Session>> {
    await this.users.read(id);
    return this.sessions.list(id, query);
  }

  /** Ends one session of the user. */
  @Delete(':id/sessions/:sid')
  @Returns(204)
  endSession(
    @Param('id', { schema: userId }) id: string,
    @Param('sid', { schema: sessionId }) sid: string,
    @ActingUser() actor: Actor,
  ): Promise<void> {
    return this.sessions.endForUser(id, sid, actor);
  }
}
