import { isOwnerOr } from '../index.js';
import type { Principal } from '../index.js';
import { keySource } from '../keys/from-options.js';
import { createTestIssuer } from '../testing/index.js';
import { TokenVerifier } from '../token/verifier.js';

const issuer = createTestIssuer();
const keys = keySource(issuer.keys, issuer.options);
const verifier = new TokenVerifier({ ...issuer.options, keys });
const user = (roles: string[] = []) =>
  verifier.verify(issuer.token({ subject: 'u1', roles })) as Principal;

describe('"own or role"', () => {
  it.each([
    ["one's own", user(), 'u1', true],
    ["somebody else's", user(), 'u2', false],
    ["somebody else's, for a role that opens it", user(['admin']), 'u2', true],
    ["somebody else's, for another role", user(['warehouse']), 'u2', false],
    ["nobody's", user(), undefined, false],
    ["nobody's, in the database's words", user(), null, false],
    ['that of an empty id', user(), '', false],
    ["nobody's, for a role that opens it", user(['support']), null, true],
  ])('%s', (_what, principal, owner, expected) => {
    expect(isOwnerOr(principal, owner, 'support', 'admin')).toBe(expected);
  });

  it('a service owns nothing, though an id were its own', () => {
    const service = verifier.verify(issuer.serviceToken({ clientId: 'orders' })) as Principal;
    expect(isOwnerOr(service, 'orders', 'admin')).toBe(false);
  });

  it('an id of another issuer is another id', () => {
    expect(isOwnerOr(user(), { issuer: issuer.issuer, subject: 'u1' })).toBe(true);
    expect(isOwnerOr(user(), { issuer: 'https://partner.example', subject: 'u1' })).toBe(false);
    expect(isOwnerOr(user(), { issuer: issuer.issuer, subject: 'u2' })).toBe(false);
  });
});
