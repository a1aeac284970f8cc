import { UnansweredError } from './call-errors.js';

export interface ServiceClientIdentity {
  issuer: string;
  /** URL that tokens are asked for at. */
  tokenUrl: string;
  clientId: string;
  clientSecret: string;
}

/** What a token is for: one service, and what it lets us do there. */
export interface Grant {
  /** Resource indicator of the service (RFC 8707). */
  audience: string;
  scope: string;
}

/** What orders needs of inventory. */
export const INVENTORY_GRANT: Grant = {
  audience: 'urn:signet:inventory',
  scope: 'inventory:reserve',
};

/** A token is renewed this long before it is over, or after four fifths of a short life. */
const MARGIN_MS = 60_000;
const TIMEOUT_MS = 5_000;

interface CachedToken {
  value: string;
  renewAt: number;
}

/**
 * Our own access tokens (RFC 6749 section 4.4), one for each service, kept in memory until shortly
 * before they are over. However many ask at once, auth is asked once.
 */
export class ServiceTokens {
  private readonly tokens = new Map<string, CachedToken>();
  private readonly asking = new Map<string, Promise<string>>();

  constructor(private readonly identity: ServiceClientIdentity) {}

  /** @throws {UnansweredError} when auth gives none */
  async get(grant: Grant): Promise<string> {
    const cached = this.cached(grant);
    if (cached !== undefined) return cached;
    const asked = this.asking.get(grant.audience) ?? this.ask(grant);
    this.asking.set(grant.audience, asked);
    try {
      return await asked;
    } finally {
      this.asking.delete(grant.audience);
    }
  }

  /** The token that is there already, if one is. */
  cached({ audience }: Grant): string | undefined {
    const cached = this.tokens.get(audience);
    return cached && cached.renewAt > Date.now() ? cached.value : undefined;
  }

  /** A service did not want `token`: the next call gets another one. */
  forget({ audience }: Grant, token: string): void {
    if (this.tokens.get(audience)?.value === token) this.tokens.delete(audience);
  }

  private async ask({ audience, scope }: Grant): Promise<string> {
    const { issuer, tokenUrl, clientId, clientSecret } = this.identity;
    // Not at boot: the first checkout is soon enough.
    const oauth = await import('oauth4webapi');
    const server = { issuer, token_endpoint: tokenUrl };
    const client = { client_id: clientId };
    const askedAt = Date.now();
    try {
      const response = await oauth.clientCredentialsGrantRequest(
        server,
        client,
        oauth.ClientSecretBasic(clientSecret),
        { resource: audience, scope },
        {
          signal: () => AbortSignal.timeout(TIMEOUT_MS),
          // The address is the operator's to choose: services talk http on a network of their own.
          // eslint-disable-next-line @typescript-eslint/no-deprecated
          [oauth.allowInsecureRequests]: new URL(tokenUrl).protocol === 'http:',
        },
      );
      const answer = await oauth.processClientCredentialsResponse(server, client, response);
      const lifetime = (answer.expires_in ?? 0) * 1000;
      const renewAt = askedAt + Math.max(lifetime - MARGIN_MS, lifetime * 0.8);
      this.tokens.set(audience, { value: answer.access_token, renewAt });
      return answer.access_token;
    } catch (error) {
      throw new UnansweredError(`No token for ${audience}: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Never the request: it has the secret in it. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'error' in error ? `auth answered ${String(error.error)}` : error.message;
}
