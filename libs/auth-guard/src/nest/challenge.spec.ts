import { AuthError, InsufficientScopeError, InvalidTokenError } from '../errors.js';
import { KeysUnavailableError } from '../errors.js';
import { headersOf, problemOf } from './challenge.js';

const challenge = (error: AuthError, realm = 'api') =>
  headersOf(error, { realm })['WWW-Authenticate'];

describe('the challenge', () => {
  it('has no error code where there was no token', () => {
    expect(challenge(new InvalidTokenError('token_missing'))).toBe('Bearer realm="api"');
  });

  it('says that a token is invalid, and why', () => {
    expect(challenge(new InvalidTokenError('token_expired'))).toBe(
      'Bearer realm="api", error="invalid_token", error_description="The access token has expired"',
    );
  });

  it('names the scope that is missing', () => {
    const error = new InsufficientScopeError({ scopes: ['a', 'b'] }, 'Needs the scope a and b.');
    expect(challenge(error)).toBe(
      'Bearer realm="api", error="insufficient_scope",' +
        ' error_description="Needs the scope a and b.", scope="a b"',
    );
  });

  it('says where the metadata of the service is (RFC 9728)', () => {
    const resourceMetadata = 'https://api.example/.well-known/oauth-protected-resource';
    const headers = headersOf(new InvalidTokenError('token_missing'), {
      realm: 'api',
      resourceMetadata,
    });
    expect(headers['WWW-Authenticate']).toBe(
      `Bearer realm="api", resource_metadata="${resourceMetadata}"`,
    );
  });

  it('is not given where another token would not help', () => {
    expect(challenge(new KeysUnavailableError(3))).toBeUndefined();
    expect(challenge(new AuthError('access_undeclared'))).toBeUndefined();
  });

  it('cannot be broken out of', () => {
    const error = new InvalidTokenError('token_malformed', { detail: 'a", b="\\\r\nX: 1é' });
    expect(challenge(error, '"realm\r\n')).toBe(
      `Bearer realm="'realm''", error="invalid_token", error_description="a', b=''''X: 1'"`,
    );
  });
});

describe('the answer', () => {
  it('says when to come back', () => {
    expect(headersOf(new KeysUnavailableError(3), { realm: 'api' })['Retry-After']).toBe('3');
  });

  it('is a problem document with a stable code', () => {
    expect(problemOf(new InvalidTokenError('token_expired'))).toEqual({
      type: 'urn:signet:problem:token_expired',
      title: 'The access token has expired',
      status: 401,
      code: 'token_expired',
    });
  });

  it('says what the route demands', () => {
    const error = new InsufficientScopeError({ roles: ['admin'] }, 'Needs the role admin.');
    expect(problemOf(error)).toMatchObject({
      status: 403,
      code: 'insufficient_scope',
      detail: 'Needs the role admin.',
      required: { roles: ['admin'] },
    });
  });
});
