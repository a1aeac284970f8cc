import type { OpenAPIObject } from '@nestjs/swagger';
import type { Route } from '@signet/auth-guard';
import { isUnlimited } from './request-path.js';

export type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type TokenAccess = Extract<Route['access'], { kind: 'token' }>;
type Components = NonNullable<OpenAPIObject['components']>;
type Answer = Exclude<NonNullable<Components['responses']>[string], { $ref: string }>;

const PROBLEM_CONTENT = {
  'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
};

const PROBLEM: NonNullable<Components['schemas']>[string] = {
  type: 'object',
  description: 'Problem details (RFC 9457)',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', example: 'urn:signet:problem:validation_failed' },
    title: { type: 'string', description: 'The same for every occurrence' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable, for programs', example: 'validation_failed' },
    detail: { type: 'string', description: 'What was wrong this time, and what was expected' },
    errors: {
      type: 'array',
      description: 'Each mistake of a request that is not valid',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'JSON Pointer (RFC 6901)' },
          detail: { type: 'string' },
        },
      },
    },
  },
  additionalProperties: true,
};

const CHALLENGE = {
  'WWW-Authenticate': {
    description: 'What a token would have to be (RFC 6750, RFC 9449)',
    schema: { type: 'string' as const },
  },
};
const RETRY = {
  'Retry-After': {
    description: 'Seconds after which trying again makes sense',
    schema: { type: 'integer' as const },
  },
};

/** Of the answers that mean the same on every route. */
const ANSWERS = {
  400: answer('The request is not valid, as `errors` or `detail` says'),
  401: answer('There is no token, or it is not good', CHALLENGE),
  403: answer('The token is good, and not for this', CHALLENGE),
  404: answer('There is no such thing, or it is not for the caller to know'),
  413: answer('The body is too large'),
  415: answer('The body is not of the media type that the route takes'),
  429: answer('Too many requests from one caller', RETRY),
  503: answer('What is needed to decide is not known at the moment', RETRY),
};

type SharedStatus = keyof typeof ANSWERS;

/** Where operations refer to. */
export const PROBLEM_COMPONENTS = {
  schemas: { Problem: PROBLEM },
  responses: Object.fromEntries(
    Object.entries(ANSWERS).map(([status, one]) => [`Problem${status}`, one]),
  ),
};

/** Adds the errors that the route can answer with; what it says about one itself stays. */
export function describeErrors(operation: Operation, route: Route): void {
  for (const status of statusesOf(operation, route)) {
    operation.responses[status] ??= { $ref: `#/components/responses/Problem${status}` };
  }
  for (const [status, one] of Object.entries(operation.responses)) {
    if (Number(status) >= 400 && one && !('$ref' in one)) one.content ??= PROBLEM_CONTENT;
  }
}

function statusesOf({ parameters = [], requestBody }: Operation, route: Route): SharedStatus[] {
  const { access, path } = route;
  const guarded = access.kind === 'token';
  const body = requestBody !== undefined;
  const can: [SharedStatus, boolean][] = [
    [400, body || parameters.length > 0],
    [401, guarded || access.token === 'optional'],
    [403, guarded && !isForAnyToken(access)],
    [404, path.includes(':')],
    [413, body],
    [415, body],
    [429, !isUnlimited(path)],
    // Without the issuer's keys, or a recent revocation where it matters, nobody is let in.
    [503, guarded || path === '/health/ready'],
  ];
  return can.filter(([, really]) => really).map(([status]) => status);
}

function isForAnyToken({ caller, roles, scopes }: TokenAccess): boolean {
  return caller === 'any' && roles.length === 0 && scopes.length === 0;
}

function answer(description: string, headers?: Answer['headers']): Answer {
  return { description, content: PROBLEM_CONTENT, ...(headers && { headers }) };
}
