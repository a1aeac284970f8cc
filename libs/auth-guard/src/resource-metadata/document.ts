import type { Access } from '../access/access.js';
import type { DpopOptions } from '../dpop/options.js';
import { DPOP_ALGORITHMS } from '../dpop/proof-key.js';
import type { ResourceMetadataOptions } from './options.js';

/** RFC 9728 section 2; what is not known is absent. */
export interface ResourceMetadataDocument {
  resource: string;
  /** Issuer identifiers, for discovery of each (RFC 8414). */
  authorization_servers?: readonly string[];
  scopes_supported?: readonly string[];
  /** Empty where bearer tokens are refused. */
  bearer_methods_supported: readonly 'header'[];
  dpop_signing_alg_values_supported?: readonly string[];
  dpop_bound_access_tokens_required?: true;
  resource_name?: string;
  resource_documentation?: string;
}

/** What the guard knows of a service that is worth telling its clients. */
export interface ServiceFacts {
  /** Whose tokens are accepted. */
  issuers: readonly string[];
  dpop?: DpopOptions | undefined;
  /** Who may call each of its routes. */
  accesses: readonly Access[];
}

/** The document that a service publishes about itself. */
export function metadataDocument(
  { resource, name, documentation, scopes }: ResourceMetadataOptions,
  { issuers, dpop, accesses }: ServiceFacts,
): ResourceMetadataDocument {
  const servers = issuers.filter((issuer) => /^https?:/.test(issuer));
  const supported = scopes ?? scopesOf(accesses);
  return {
    resource,
    ...(servers.length > 0 && { authorization_servers: servers }),
    ...(supported.length > 0 && { scopes_supported: supported }),
    bearer_methods_supported: dpop?.required ? [] : ['header'],
    ...(dpop && { dpop_signing_alg_values_supported: dpop.algorithms ?? DPOP_ALGORITHMS }),
    ...(dpop?.required && { dpop_bound_access_tokens_required: true as const }),
    ...(name !== undefined && { resource_name: name }),
    ...(documentation !== undefined && { resource_documentation: documentation }),
  };
}

function scopesOf(accesses: readonly Access[]): string[] {
  const scopes = accesses.flatMap((access) => (access.kind === 'token' ? access.scopes : []));
  return [...new Set(scopes)].sort();
}
