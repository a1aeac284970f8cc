import { randomUUID } from 'node:crypto';
import { systemClock } from '../clock.js';
import type { Clock } from '../clock.js';
import type { JwksOptions } from '../keys/from-options.js';
import type { JsonWebKeySet } from '../keys/jwk-set.js';
import { badTokens } from './bad-tokens.js';
import type { BadTokens } from './bad-tokens.js';
import { serveKeySet } from './jwks-server.js';
import type { JwksServer } from './jwks-server.js';
import { signJws } from './jws.js';
import { createKeyPair, sharedKeyPair } from './key-pair.js';
import type { TestKeyPair } from './key-pair.js';

/** What `createTestIssuer()` takes. */
export interface TestIssuerOptions {
  /** `https://issuer.test` by default. */
  issuer?: string;
  /** `urn:test:api` by default. */
  audience?: string;
  /** The system's by default; a `TestClock` to move time. */
  clock?: Clock;
}

/** What the guard needs to trust a test's issuer. */
export interface TestGuardOptions {
  /** `iss` of its tokens. */
  issuer: string;
  /** `aud` of its tokens. */
  audience: string;
  /** Its keys as they are now. */
  keys: JwksOptions;
}

/** What a test wants to say about a token; everything else is filled in. */
export interface TestTokenOptions {
  /** `user-1` by default. */
  subject?: string;
  /** `test-client` by default. */
  clientId?: string;
  /** The login it belongs to, `session-1` by default. */
  sessionId?: string;
  /** None by default. */
  roles?: readonly string[];
  /** None by default. */
  scopes?: readonly string[];
  /** The issuer's by default. */
  audience?: string | readonly string[];
  /** Seconds from now until it expires, 600 by default. Negative for one that has expired. */
  lifetime?: number;
  /** Binds the token to a key of its client (RFC 9449): one of `createDpopKey()`. */
  boundTo?: {
    /** Of the key, as `cnf.jkt` has it (RFC 9449 section 6.1). */
    readonly thumbprint: string;
  };
  /** Claims to add or to replace; undefined leaves one out. */
  claims?: Record<string, unknown>;
  /** Header parameters to add or to replace; undefined leaves one out. */
  header?: Record<string, unknown>;
}

/**
 * An issuer that lives in the test: it has a real RSA key and signs real tokens, so that a test runs
 * the application's own guard and nothing needs to be mocked.
 *
 * @example
 * const issuer = createTestIssuer();
 * const app = await Test.createTestingModule({
 *   imports: [AuthGuardModule.forRoot(issuer.options), OrdersModule],
 * }).compile();
 * const admin = issuer.token({ roles: ['admin'] });
 */
export function createTestIssuer(options: TestIssuerOptions = {}): TestIssuer {
  return new TestIssuer(options);
}

/** An issuer with a key of its own, made by `createTestIssuer()`. */
export class TestIssuer {
  /** `iss` of its tokens. */
  readonly issuer: string;
  /** `aud` of its tokens, unless one says something else. */
  readonly audience: string;
  private readonly clock: Clock;
  private readonly pairs: TestKeyPair[] = [sharedKeyPair(0)];

  constructor({ issuer, audience, clock }: TestIssuerOptions) {
    this.issuer = issuer ?? 'https://issuer.test';
    this.audience = audience ?? 'urn:test:api';
    this.clock = clock ?? systemClock;
  }

  /** The key that signs now. */
  get keyPair(): TestKeyPair {
    const pair = this.pairs.at(-1);
    if (!pair) throw new Error('The issuer has withdrawn all its keys.');
    return pair;
  }

  /** The published keys. */
  get jwks(): JsonWebKeySet {
    return { keys: this.pairs.map(({ jwk }) => jwk) };
  }

  /** For `keys` of `AuthGuardModule.forRoot()`. */
  get keys(): JwksOptions {
    return { jwks: this.jwks };
  }

  /** For `AuthGuardModule.forRoot()`. */
  get options(): TestGuardOptions {
    return { issuer: this.issuer, audience: this.audience, keys: this.keys };
  }

  /** A user's token. */
  token(options: TestTokenOptions = {}): string {
    const now = this.seconds();
    return this.mint(options, {
      sub: options.subject ?? 'user-1',
      client_id: options.clientId ?? 'test-client',
      sid: options.sessionId ?? 'session-1',
      roles: options.roles ?? [],
      auth_time: now,
      acr: '1',
      amr: ['pwd'],
    });
  }

  /** A service's own token, as the client credentials grant gives it. */
  serviceToken(options: Omit<TestTokenOptions, 'subject' | 'sessionId' | 'roles'> = {}): string {
    const clientId = options.clientId ?? 'test-service';
    return this.mint(options, { sub: clientId, client_id: clientId });
  }

  /** One of each kind of token that must be refused, by what is wrong with it. */
  badTokens(options: TestTokenOptions = {}): BadTokens {
    return badTokens(this, options);
  }

  /** Signs with a new key from now on; the keys before it stay published. */
  rotate(): TestKeyPair {
    const pair = createKeyPair();
    this.pairs.push(pair);
    return pair;
  }

  /** Takes a key out of the published set. */
  withdraw({ kid }: { kid: string }): void {
    const index = this.pairs.findIndex((pair) => pair.kid === kid);
    if (index >= 0) this.pairs.splice(index, 1);
  }

  /** Publishes the key set over HTTP, on a free port of this machine. */
  serve(): Promise<JwksServer> {
    return serveKeySet(() => this.jwks);
  }

  private mint(options: TestTokenOptions, claims: Record<string, unknown>): string {
    const { kid, privateKey } = this.keyPair;
    const now = this.seconds();
    const lifetime = options.lifetime ?? 600;
    const payload = {
      iss: this.issuer,
      aud: options.audience ?? this.audience,
      iat: lifetime > 0 ? now : now + lifetime - 600,
      exp: now + lifetime,
      jti: randomUUID(),
      ...claims,
      ...(options.boundTo ? { cnf: { jkt: options.boundTo.thumbprint } } : {}),
      ...(options.scopes ? { scope: options.scopes.join(' ') } : {}),
      ...options.claims,
    };
    return signJws({ alg: 'RS256', typ: 'at+jwt', kid, ...options.header }, payload, privateKey);
  }

  private seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }
}
