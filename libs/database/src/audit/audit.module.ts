import { Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';

/** The log alone; `auditController` serves it where the service says who may read it. */
@Module({ providers: [AuditLog], exports: [AuditLog] })
export class AuditModule {}
