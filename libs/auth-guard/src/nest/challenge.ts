import type { TokenScheme } from '../authentication/credentials.js';
import type { DpopOptions } from '../dpop/options.js';
import { DPOP_ALGORITHMS } from '../dpop/proof-key.js';
import type { AuthError, MissingAccess } from '../errors.js';
import { DpopNonceError, InsufficientScopeError } from '../errors.js';
import { metadataUrl } from '../resource-metadata/options.js';
import type { ResourceMetadataOptions } from '../resource-metadata/options.js';

/** The body of an error answer (RFC 9457 section 3). */
export interface ProblemDetails {
  /** `urn:signet:problem:<code>` */
  type: string;
  /** What kind of problem it is, for people. */
  title: string;
  /** The status of the answer. */
  status: number;
  /** One of `AuthErrorCode`. */
  code: string;
  /** What was expected, where the title does not say it already. */
  detail?: string;
  /** On 403: what the route demands and the token does not have. */
  required?: MissingAccess;
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
  /** The algorithms of proofs, where bound tokens are served (RFC 9449 section 7.1). */
  proofAlgorithms?: readonly string[] | undefined;
  /** Whether only bound tokens are served. */
  boundOnly?: boolean | undefined;
}

/** What the challenges of a service say, by its options. */
export function protectionOf(options: {
  audience: string | readonly string[];
  realm?: string;
  resourceMetadata?: string | ResourceMetadataOptions;
  dpop?: DpopOptions;
}): Protection {
  const { realm, audience, resourceMetadata, dpop } = options;
  return {
    realm: realm ?? [audience].flat()[0] ?? '',
    resourceMetadata:
      typeof resourceMetadata === 'object' ? metadataUrl(resourceMetadata).href : resourceMetadata,
    proofAlgorithms: dpop && (dpop.algorithms ?? DPOP_ALGORITHMS),
    boundOnly: dpop?.required,
  };
}

/**
 * The header fields that belong to an error.
 *
 * @param scheme that the caller used
 */
export function headersOf(
  error: AuthError,
  protection: Protection,
  scheme?: TokenScheme,
): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  const challenge = challengeOf(error, protection, scheme);
  if (challenge) headers['WWW-Authenticate'] = challenge;
  if (error.retryAfter !== undefined) headers['Retry-After'] = String(error.retryAfter);
  return error instanceof DpopNonceError ? { ...headers, ...nonceHeaders(error.nonce) } : headers;
}

/** RFC 9449 section 8.2: a nonce is not to be kept by a cache and given to somebody else. */
export function nonceHeaders(nonce: string): Record<string, string> {
  return { 'DPoP-Nonce': nonce, 'Cache-Control': 'no-store' };
}

/**
 * The challenges of RFC 6750 section 3 and RFC 9449 section 7.1, one for each scheme that is served:
 * none where another token would not help, and no error code where there was no token (RFC 6750
 * section 3.1). The error stands with the scheme that was used.
 */
function challengeOf(
  error: AuthError,
  protection: Protection,
  used: TokenScheme | undefined,
): string | undefined {
  if (error.status !== 401 && !error.challengeError) return undefined;
  const schemes = schemesOf(protection);
  const blamed = schemes.find((scheme) => scheme === used) ?? schemes[0];
  return schemes
    .map((scheme) => {
      const parameters = commonParameters(scheme, protection);
      if (scheme === blamed) parameters.push(...errorParameters(error));
      return `${scheme} ${parameters.map(([name, value]) => `${name}="${quotable(value)}"`).join(', ')}`;
    })
    .join(', ');
}

function schemesOf({ proofAlgorithms, boundOnly }: Protection): TokenScheme[] {
  if (!proofAlgorithms) return ['Bearer'];
  return boundOnly ? ['DPoP'] : ['Bearer', 'DPoP'];
}

type Parameter = [name: string, value: string];

function commonParameters(scheme: TokenScheme, protection: Protection): Parameter[] {
  const { realm, resourceMetadata, proofAlgorithms = [] } = protection;
  const parameters: Parameter[] = [['realm', realm]];
  if (resourceMetadata) parameters.push(['resource_metadata', resourceMetadata]);
  if (scheme === 'DPoP') parameters.push(['algs', proofAlgorithms.join(' ')]);
  return parameters;
}

function errorParameters(error: AuthError): Parameter[] {
  if (!error.challengeError) return [];
  const parameters: Parameter[] = [
    ['error', error.challengeError],
    ['error_description', error.message],
  ];
  if (error instanceof InsufficientScopeError && error.required.scopes) {
    parameters.push(['scope', error.required.scopes.join(' ')]);
  }
  return parameters;
}

/** RFC 6750 section 3: printable ASCII without the quote and the backslash. */
function quotable(value: string): string {
  return value.replaceAll(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "'");
}
