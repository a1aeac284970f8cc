import { applyDecorators, Controller, Get, Query } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { pageOf, Returns } from '@signet/http';
import type { Page } from '@signet/http';
import { AuditLog } from './audit-log.js';
import { auditEvent, auditQuery } from './audit.schema.js';
import type { AuditEvent, AuditQuery } from './audit.schema.js';

/**
 * The service's `GET /admin/audit`. The service says who may read it, and lists the result among its
 * controllers, in a module that imports `AuditModule`.
 *
 * @param actions that the service records
 * @param access the decorators of the class: who may read it
 * @example
 * controllers: [auditController(AUDIT_ACTIONS, Roles('admin'))]
 */
export function auditController(
  actions: readonly [string, ...string[]],
  ...access: [ClassDecorator, ...ClassDecorator[]]
): Type<unknown> {
  const query = auditQuery(actions);

  @ApiTags('administration')
  @Controller('admin/audit')
  @applyDecorators(...access)
  class AuditController {
    constructor(private readonly audit: AuditLog) {}

    @Get()
    @ApiOperation({ summary: 'Who did what, the newest first' })
    @Returns(200, pageOf(auditEvent))
    list(@Query({ schema: query }) wanted: AuditQuery): Promise<Page<AuditEvent>> {
      return this.audit.list(wanted);
    }
  }

  return AuditController;
}
