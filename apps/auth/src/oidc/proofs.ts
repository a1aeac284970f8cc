import { Inject, Injectable } from '@nestjs/common';
import { AuthError, Dpop } from '@signet/auth-guard';
import type { ReplayStore } from '@signet/auth-guard';
import type { FastifyRequest } from 'fastify';
import { errors } from 'oidc-provider';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { SessionStore } from '../sessions/session-store.js';
import { RecordAdapter } from './record-adapter.js';
import { UnitOfWork } from './unit-of-work.js';

/** Proofs that whoever sends a bound token has its key (RFC 9449), good once on all replicas. */
@Injectable()
export class Proofs {
  private readonly dpop: Dpop;

  constructor(@Inject(AUTH_CONFIG) config: AuthConfig, unit: UnitOfWork, sessions: SessionStore) {
    const records = new RecordAdapter('UsedProof', unit, sessions, config.SIGNET_COOKIE_SECRET);
    this.dpop = new Dpop({ publicUrls: config.SIGNET_ISSUER, replayStore: store(records) });
  }

  /** @param thumbprint `cnf.jkt` of the token */
  async isProved(request: FastifyRequest, token: string, thumbprint: string): Promise<boolean> {
    const { method, url, headers } = request;
    try {
      await this.dpop.prove({ request: { method, url, headers }, token, thumbprint });
      return true;
    } catch (error) {
      if (error instanceof AuthError && error.status < 500) return false;
      throw error;
    }
  }
}

function store(records: RecordAdapter): ReplayStore {
  return {
    async remember(id, until) {
      try {
        await records.upsert(id, {}, Math.max(1, until - Date.now() / 1000));
        return true;
      } catch (error) {
        if (error instanceof errors.InvalidRequest) return false;
        throw error;
      }
    },
  };
}
