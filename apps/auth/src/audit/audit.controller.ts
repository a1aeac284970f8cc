import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Roles } from '@signet/auth-guard';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { LiveSessionGuard } from '../sessions/live-session.guard.js';
import { AuditLog } from './audit-log.js';
import { auditEvent, auditQuery } from './audit.schema.js';
import type { AuditEvent, AuditQuery } from './audit.schema.js';

@ApiTags('administration')
@Controller('admin/audit')
@Roles('admin')
@UseGuards(LiveSessionGuard)
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  /** Who changed whose rights, sessions or keys, the newest first. */
  @Get()
  @Returns(200, pageOf(auditEvent))
  list(@Query({ schema: auditQuery }) query: AuditQuery): Promise<Page<AuditEvent>> {
    return this.audit.list(query);
  }
}
