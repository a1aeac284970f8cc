/**
 * Every reason for which the guard turns a request away: the HTTP status, a title that is the same
 * for every occurrence, and the error code of RFC 6750 section 3.1 for the challenge, where one
 * belongs. The keys are stable: clients may switch on them.
 */
const REASONS = {
  request_ambiguous: {
    status: 400,
    title: 'The request carries more than one access token',
    error: 'invalid_request',
  },
  token_missing: { status: 401, title: 'An access token is required' },
  token_malformed: { status: 401, title: 'The access token is not a JWT', error: 'invalid_token' },
  token_too_large: { status: 401, title: 'The access token is too large', error: 'invalid_token' },
  token_header_invalid: {
    status: 401,
    title: 'The access token has a header that is not accepted',
    error: 'invalid_token',
  },
  token_algorithm_invalid: {
    status: 401,
    title: 'The access token is not signed with RS256',
    error: 'invalid_token',
  },
  token_type_invalid: {
    status: 401,
    title: 'The token is not an access token',
    error: 'invalid_token',
  },
  token_key_unknown: {
    status: 401,
    title: 'The access token was signed with an unknown key',
    error: 'invalid_token',
  },
  token_signature_invalid: {
    status: 401,
    title: 'The signature of the access token is wrong',
    error: 'invalid_token',
  },
  token_claims_invalid: {
    status: 401,
    title: 'The access token has missing or mistyped claims',
    error: 'invalid_token',
  },
  token_issuer_invalid: {
    status: 401,
    title: 'The access token is from another issuer',
    error: 'invalid_token',
  },
  token_audience_invalid: {
    status: 401,
    title: 'The access token is for another audience',
    error: 'invalid_token',
  },
  token_expired: { status: 401, title: 'The access token has expired', error: 'invalid_token' },
  token_not_yet_valid: {
    status: 401,
    title: 'The access token is not valid yet',
    error: 'invalid_token',
  },
  token_lifetime_invalid: {
    status: 401,
    title: 'The access token lives longer than is accepted',
    error: 'invalid_token',
  },
  token_binding_unsupported: {
    status: 401,
    title: 'The access token is bound in a way that is not accepted here',
    error: 'invalid_token',
  },
  token_binding_unproved: {
    status: 401,
    title: 'The access token is bound to a key whose possession was not proved',
    error: 'invalid_token',
  },
  token_binding_mismatch: {
    status: 401,
    title: 'The access token is bound to another key than the one that was proved',
    error: 'invalid_token',
  },
  token_not_bound: {
    status: 401,
    title: 'The access token is not bound to a key',
    error: 'invalid_token',
  },
  dpop_proof_invalid: {
    status: 401,
    title: 'The DPoP proof is not accepted',
    error: 'invalid_dpop_proof',
  },
  dpop_nonce_required: {
    status: 401,
    title: 'The DPoP proof needs a nonce of this service',
    error: 'use_dpop_nonce',
  },
  dpop_replay_unknown: {
    status: 503,
    title: 'It cannot be told at the moment whether the DPoP proof was used before',
  },
  token_revoked: {
    status: 401,
    title: 'The access token has been revoked',
    error: 'invalid_token',
  },
  insufficient_scope: {
    status: 403,
    title: 'The access token does not open this',
    error: 'insufficient_scope',
  },
  request_cross_site: {
    status: 403,
    title: 'A request with a cookie must come from a page of this service',
  },
  access_undeclared: { status: 403, title: 'The route does not say who may call it' },
  context_unsupported: { status: 403, title: 'The guard cannot authenticate this kind of call' },
  keys_unavailable: { status: 503, title: 'Access tokens cannot be verified at the moment' },
  revocation_state_stale: {
    status: 503,
    title: 'It is not known at the moment whether the access token was revoked',
  },
} as const satisfies Record<string, Reason>;

interface Reason {
  status: number;
  title: string;
  error?: ChallengeError;
}

/** The error codes of challenges: RFC 6750 section 3.1, RFC 9449 sections 7.1 and 9. */
export type ChallengeError =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce';

/** All codes that the guard puts into an answer. */
export type AuthErrorCode = keyof typeof REASONS;

/** What a failed check expected and found. Never holds anything that came out of a token. */
export interface AuthErrorOptions extends ErrorOptions {
  /** One sentence for the caller. It ends up in answers and in the challenge. */
  detail?: string;
}

/**
 * The guard turned something away. Framework-free: the Nest pieces translate it for their context.
 * Neither its message nor its detail ever repeats a part of the token.
 */
export class AuthError extends Error {
  /** The class's name, which stays when code is made smaller. */
  override readonly name: string = 'AuthError';
  /** Whole seconds after which trying again makes sense, where it does. */
  declare readonly retryAfter?: number;

  constructor(
    /** Stable: what programs switch on. */
    readonly code: AuthErrorCode,
    { detail, cause }: AuthErrorOptions = {},
  ) {
    super(detail ?? REASONS[code].title, { cause });
  }

  /** The status of HTTP that it is answered with. */
  get status(): number {
    return REASONS[this.code].status;
  }

  /** The same for every occurrence (RFC 9457 section 3.1.3). */
  get title(): string {
    return REASONS[this.code].title;
  }

  /** The error code for the challenge of RFC 6750 section 3, where one belongs. */
  get challengeError(): ChallengeError | undefined {
    const reason: Reason = REASONS[this.code];
    return reason.error;
  }
}

/** A token that is not acceptable: 401. */
export class InvalidTokenError extends AuthError {
  override readonly name = 'InvalidTokenError';
}

/** A request that brings more than one token, so that two readers could take different ones: 400. */
export class AmbiguousRequestError extends AuthError {
  override readonly name = 'AmbiguousRequestError';

  constructor(
    /** One sentence that says where they were. */
    detail: string,
  ) {
    super('request_ambiguous', { detail });
  }
}

/** What a route demands and a token does not have. */
export interface MissingAccess {
  /** Whose token the route wants, when the caller's is of the other kind. */
  caller?: 'user' | 'service';
  /** The roles of which one would do. */
  roles?: readonly string[];
  /** The scopes that are all needed. */
  scopes?: readonly string[];
}

/** A good token that does not open this route: 403. */
export class InsufficientScopeError extends AuthError {
  override readonly name = 'InsufficientScopeError';

  constructor(
    /** What it would take. */
    readonly required: MissingAccess,
    detail: string,
  ) {
    super('insufficient_scope', { detail });
  }
}

/**
 * The keys that would tell a good token from a bad one cannot be had: 503, never 401, because the
 * token may well be good.
 */
export class KeysUnavailableError extends AuthError {
  override readonly name = 'KeysUnavailableError';

  constructor(
    /** Whole seconds after which trying again makes sense. */
    override readonly retryAfter: number,
    options?: ErrorOptions,
  ) {
    super('keys_unavailable', { ...options, detail: 'The signing keys cannot be had.' });
  }
}

/** What is known of revocations is too old for this route: 503. */
export class RevocationStateStaleError extends AuthError {
  override readonly name = 'RevocationStateStaleError';
  override readonly retryAfter = 2;

  constructor(
    /** How old it may be, in seconds. */
    readonly maxAge: number,
  ) {
    super('revocation_state_stale', {
      detail: `What is known of revocations is more than ${maxAge} seconds old, too old for this.`,
    });
  }
}

/** A proof without a nonce that this service gave out lately: 401, with one to use. */
export class DpopNonceError extends AuthError {
  override readonly name = 'DpopNonceError';

  constructor(
    /** For the header `DPoP-Nonce`. */
    readonly nonce: string,
  ) {
    super('dpop_nonce_required');
  }
}

/** The store of used proofs is full or cannot be asked: 503, since the proof may well be new. */
export class ReplayUnknownError extends AuthError {
  override readonly name = 'ReplayUnknownError';
  override readonly retryAfter = 1;

  constructor(options?: ErrorOptions) {
    super('dpop_replay_unknown', options);
  }
}

/** The guard was set up with options that cannot work or would make it weak. Thrown at boot. */
export class AuthGuardConfigurationError extends Error {
  /** The class's name, which stays when code is made smaller. */
  override readonly name = 'AuthGuardConfigurationError';
}
