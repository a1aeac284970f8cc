import { Injectable, Logger } from '@nestjs/common';
import { Metrics } from '@signet/http';
import type Provider from 'oidc-provider';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { Counter } from 'prom-client';
import { GRANTS } from '../clients/grants.js';

/** Counts what the token endpoint grants and refuses, and writes a line for each refused refresh. */
@Injectable()
export class GrantWatch {
  private readonly logger = new Logger('Grants');
  private readonly grants: Counter<'grant' | 'outcome'>;

  constructor({ registry }: Metrics) {
    this.grants = new Counter({
      name: 'signet_auth_grants_total',
      help: 'Answers of the token endpoint, by grant and outcome: issued, or the error of RFC 6749 section 5.2.',
      labelNames: ['grant', 'outcome'],
      registers: [registry],
    });
  }

  watch(provider: Provider): void {
    provider.on('grant.success', (context) => {
      this.grants.inc({ grant: grantOf(context), outcome: 'issued' });
    });
    provider.on('grant.error', (context, error) => {
      const grant = grantOf(context);
      this.grants.inc({ grant, outcome: error.error });
      if (grant !== 'refresh_token' || error.error !== 'invalid_grant') return;
      this.logger.warn({
        event: 'refresh.refused',
        reason: error.error_detail,
        client: context.oidc.client?.clientId,
        address: context.ip,
      });
    });
  }
}

/** One of those that there are: a label must not be what somebody sends. */
function grantOf({ oidc }: KoaContextWithOIDC): string {
  const grant = oidc.params?.grant_type;
  return GRANTS.find((known) => known === grant) ?? 'other';
}
