import type { AuthError } from '../errors.js';
import { InsufficientScopeError } from '../errors.js';

/** The body of an error answer (RFC 9457 section 3). */
export interface ProblemDetails {
  /** `urn:signet:problem:<code>` */
  type: string;
  title: string;
  status: number;
  /** One of `AuthErrorCode`. */
  code: string;
  /** What was expected, where the title does not say it already. */
  detail?: string;
  /** On 403: what the route demands and the token does not have. */
  required?: { caller?: string; roles?: readonly string[]; scopes?: readonly string[] };
}

/** The body for an error of the guard. */
export function problemOf(error: AuthError): ProblemDetails {
  return {
    type: `urn:signet:problem:${error.code}`,
    title: error.title,
    status: error.status,
    code: error.code,
    ...(error.message === error.title ? {} : { detail: error.message }),
    ...(error instanceof InsufficientScopeError ? { required: error.required } : {}),
  };
}

/** What every challenge of a service says. */
export interface Protection {
  /** RFC 9110 section 11.5 */
  realm: string;
  /** RFC 9728 section 5.1 */
  resourceMetadata?: string | undefined;
}

/** What the challenges of a service say, by its options. */
export function protectionOf(options: {
  audience: string | readonly string[];
  realm?: string;
  resourceMetadata?: string;
}): Protection {
  const { realm, audience, resourceMetadata } = options;
  return { realm: realm ?? [audience].flat()[0] ?? '', resourceMetadata };
}

/** The header fields that belong to it. */
export function headersOf(error: AuthError, protection: Protection): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  const challenge = challengeOf(error, protection);
  if (challenge) headers['WWW-Authenticate'] = challenge;
  if (error.retryAfter !== undefined) headers['Retry-After'] = String(error.retryAfter);
  return headers;
}

/**
 * The challenge of RFC 6750 section 3: none where another token would not help, and no error code
 * where there was no token (section 3.1).
 */
function challengeOf(
  error: AuthError,
  { realm, resourceMetadata }: Protection,
): string | undefined {
  if (error.status !== 401 && !error.challengeError) return undefined;
  const parameters: [string, string][] = [['realm', realm]];
  if (resourceMetadata) parameters.push(['resource_metadata', resourceMetadata]);
  if (error.challengeError) {
    parameters.push(['error', error.challengeError], ['error_description', error.message]);
  }
  if (error instanceof InsufficientScopeError && error.required.scopes) {
    parameters.push(['scope', error.required.scopes.join(' ')]);
  }
  return `Bearer ${parameters.map(([name, value]) => `${name}="${quotable(value)}"`).join(', ')}`;
}

/** RFC 6750 section 3: printable ASCII without the quote and the backslash. */
function quotable(value: string): string {
  return value.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'");
}
