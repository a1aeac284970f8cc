import { Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';

/** The log alone: its controller belongs to the service, whose guards know sessions. */
@Module({ providers: [AuditLog], exports: [AuditLog] })
export class AuditModule {}
