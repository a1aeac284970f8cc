import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import type { JSONWebKeySet } from 'jose';
import { createTestIssuer, TestClock } from './index.js';

const issuer = createTestIssuer({ issuer: 'https://auth.example', audience: 'urn:example:api' });

describe('the test issuer', () => {
  it('signs tokens that any verifier accepts', async () => {
    const keys = createLocalJWKSet(issuer.jwks as JSONWebKeySet);
    const { payload, protectedHeader } = await jwtVerify(issuer.token({ roles: ['admin'] }), keys, {
      issuer: 'https://auth.example',
      audience: 'urn:example:api',
      algorithms: ['RS256'],
      typ: 'at+jwt',
      requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti', 'auth_time', 'acr', 'amr', 'sid'],
    });
    expect(protectedHeader.alg).toBe('RS256');
    expect(payload.roles).toEqual(['admin']);
  });

  it('makes its key once for all issuers of a test', () => {
    expect(createTestIssuer().keyPair).toBe(issuer.keyPair);
  });

  it('follows the clock of the test', async () => {
    const clock = new TestClock(0);
    const past = createTestIssuer({ clock });
    const keys = createLocalJWKSet(past.jwks as JSONWebKeySet);
    const { payload } = await jwtVerify(past.token({ lifetime: 60 }), keys, {
      currentDate: new Date(0),
    });
    expect([payload.iat, payload.exp]).toEqual([0, 60]);
  });

  it('rotates and withdraws keys without touching those of other issuers', () => {
    const own = createTestIssuer();
    const first = own.keyPair;
    const second = own.rotate();
    expect(decodeProtectedHeader(own.token()).kid).toBe(second.kid);
    expect(own.jwks.keys).toHaveLength(2);
    own.withdraw(first);
    expect(own.jwks.keys).toEqual([second.jwk]);
    expect(createTestIssuer().keyPair).toBe(first);
  });

  it('publishes its keys', async () => {
    const server = await issuer.serve();
    expect(await (await fetch(server.jwksUri)).json()).toEqual(issuer.jwks);
    expect(server.requests).toBe(1);
    await server.close();
  });
});
