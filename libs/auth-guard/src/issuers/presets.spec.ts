import { InvalidTokenError } from '../errors.js';
import { keySource } from '../keys/from-options.js';
import { createTestIssuer } from '../testing/index.js';
import { TokenVerifier } from '../token/verifier.js';
import { auth0, cognito, entraId, keycloak } from '../index.js';
import type { IssuerOptions, Principal } from '../index.js';

/** Without revocations, which the guard follows. */
function verifierWith({ revocation: _none, ...terms }: IssuerOptions): TokenVerifier {
  return new TokenVerifier({ ...terms, keys: keySource(terms.keys, terms) });
}

const TENANT = '8b1a6c8e-0000-4000-8000-000000000001';
const USER = 'f3b1f0a4-0000-4000-8000-000000000002';
const APP = '0c1d2e3f-0000-4000-8000-000000000003';

interface Dialect {
  /** With the test's own key in place of the published ones. */
  options: IssuerOptions;
  header: Record<string, unknown>;
  user: Record<string, unknown>;
  service: Record<string, unknown>;
  /** Claims that make of the user's token one that must be refused. */
  refused: [what: string, claims: Record<string, unknown>][];
}

const { keys } = createTestIssuer();
/** What the test issuer writes and these issuers do not. */
const bare = {
  client_id: undefined,
  roles: undefined,
  acr: undefined,
  amr: undefined,
  sid: undefined,
};

const keycloakDialect: Dialect = {
  options: keycloak({
    url: 'https://sso.example.com/',
    realm: 'shop',
    audience: 'orders-api',
    keys,
  }),
  header: { typ: 'JWT' },
  user: {
    ...bare,
    typ: 'Bearer',
    sub: USER,
    azp: 'web',
    sid: 's1',
    realm_access: { roles: ['support'] },
    resource_access: { 'orders-api': { roles: ['admin'] } },
    scope: 'openid orders:read',
    preferred_username: 'jane',
  },
  service: {
    ...bare,
    typ: 'Bearer',
    sub: USER,
    azp: 'Jobs',
    client_id: 'Jobs',
    preferred_username: 'service-account-jobs',
    scope: 'orders:read',
  },
  refused: [
    ['an ID token', { typ: 'ID' }],
    ['a refresh token', { typ: 'Refresh' }],
    ['a logout token', { typ: 'Logout' }],
    ['a token that does not say what it is', { typ: undefined }],
    ['a token without a client', { azp: undefined }],
    ['roles that are no list', { realm_access: { roles: 'admin' } }],
    ['a user named like a client', { sub: 'web' }],
  ],
};

const dialects: Record<string, Dialect> = {
  Keycloak: keycloakDialect,
  Auth0: {
    options: auth0({
      domain: 'shop.eu.auth0.com',
      audience: 'https://api.example.com/',
      rolesClaim: 'https://example.com/roles',
      keys,
    }),
    header: { typ: 'JWT' },
    user: {
      ...bare,
      jti: undefined,
      sub: 'auth0|64f0c0ffee',
      azp: 'web',
      'https://example.com/roles': ['support'],
      scope: 'openid orders:read',
    },
    service: {
      ...bare,
      jti: undefined,
      sub: 'Jobs@clients',
      azp: 'Jobs',
      gty: 'client-credentials',
      scope: 'orders:read',
    },
    refused: [
      ['an ID token', { aud: 'web' }],
      ['a token without a client', { azp: undefined }],
      ['roles that are no list', { 'https://example.com/roles': { admin: true } }],
    ],
  },
  'Entra ID': {
    options: entraId({ tenantId: TENANT, audience: APP, keys }),
    header: { typ: 'JWT' },
    user: {
      ...bare,
      jti: undefined,
      ver: '2.0',
      uti: 'uti-1',
      sub: 'pairwise',
      oid: USER,
      azp: 'web',
      scp: 'openid orders:read',
      roles: ['support'],
    },
    service: {
      ...bare,
      jti: undefined,
      ver: '2.0',
      uti: 'uti-2',
      sub: USER,
      oid: USER,
      azp: 'Jobs',
      roles: ['orders:read'],
    },
    refused: [
      ['an ID token', { scp: undefined, azp: undefined }],
      [
        "an ID token that names the user's roles",
        { scp: undefined, azp: undefined, roles: ['admin'] },
      ],
      ['a token of a user without scopes', { scp: undefined }],
      ['a token without an id', { uti: undefined }],
      ['a permission with a space in it', { scp: undefined, sub: USER, roles: ['a b', ''] }],
    ],
  },
  Cognito: {
    options: cognito({
      region: 'eu-central-1',
      userPoolId: 'eu-central-1_Abc',
      clientIds: ['web', 'Jobs'],
      keys,
    }),
    header: { typ: undefined },
    user: {
      ...bare,
      aud: undefined,
      token_use: 'access',
      sub: USER,
      client_id: 'web',
      'cognito:groups': ['support'],
      scope: 'openid orders:read',
    },
    service: {
      ...bare,
      aud: undefined,
      token_use: 'access',
      sub: 'Jobs',
      client_id: 'Jobs',
      scope: 'orders:read',
    },
    refused: [
      ['an ID token', { token_use: 'id', aud: 'web' }],
      ['an ID token with the client of an access token', { token_use: 'id' }],
      ['a token of another client', { client_id: 'other' }],
      ['a token of another client that names ours', { client_id: 'other', aud: 'web' }],
      ['a token without a client', { client_id: undefined }],
    ],
  },
};

describe.each(Object.entries(dialects))('a token of %s', (_name, dialect) => {
  const { options, header, user, service, refused } = dialect;
  const issuer = createTestIssuer({
    issuer: options.issuer,
    audience: [options.audience].flat()[0] ?? '',
  });
  const verifier = verifierWith(options);
  const mint = (claims: Record<string, unknown>, head = header) =>
    issuer.token({ claims, header: head });

  const outcome = (token: string, by = verifier): string | Principal => {
    try {
      return by.verify(token) as Principal;
    } catch (error) {
      if (error instanceof InvalidTokenError) return error.code;
      throw error;
    }
  };

  it('of a user is the same principal as ever', () => {
    expect(outcome(mint(user))).toMatchObject({
      kind: 'user',
      issuer: options.issuer,
      subject: user.sub,
      clientId: 'web',
      roles: ['support'],
      scopes: ['openid', 'orders:read'],
    });
  });

  it('of a service is a service with scopes, and has no roles', () => {
    expect(outcome(mint(service))).toMatchObject({
      kind: 'service',
      subject: 'Jobs',
      clientId: 'Jobs',
      roles: [],
      scopes: ['orders:read'],
      sessionId: undefined,
    });
  });

  it('is frozen, names each token by an id of its own, and keeps the claims as they came', () => {
    const [one, other] = [outcome(mint(user)), outcome(mint({ ...user, extra: 1 }))] as Principal[];
    expect(one?.tokenId).toEqual(expect.stringMatching(/.+/));
    if (user.uti === undefined) expect(one?.tokenId).not.toBe(other?.tokenId);
    expect(one?.claims.sub).toBe(user.sub);
    for (const value of [one, one?.roles, one?.scopes, one?.audience, one?.claims]) {
      expect(Object.isFrozen(value)).toBe(true);
    }
  });

  it.each(refused)('is refused when it is %s', (_what, claims) => {
    expect(outcome(mint({ ...user, ...claims }))).toMatch(/^token_/);
  });

  it.each([
    ['another issuer', { iss: 'https://somebody-else.example.com' }],
    ['another audience', { aud: 'somebody-else', client_id: 'somebody-else' }],
    ['no end', { exp: undefined }],
    ['an end far away', { exp: Math.floor(Date.now() / 1000) + 90_000 }],
    ['a start that is yet to come', { nbf: 4_000_000_000 }],
    ['a subject that is no text', { sub: 7 }],
    ['a key that nobody proved', { cnf: { jkt: 'A'.repeat(43) } }],
  ])('is refused with %s, as ever', (_what, claims) => {
    expect(outcome(mint({ ...user, ...claims }))).toMatch(/^token_/);
  });

  it.each([
    ['another algorithm', { alg: 'HS256' }],
    ['no algorithm', { alg: 'none' }],
    ['a key of its own', { jwk: {} }],
    ['crit', { crit: ['exp'] }],
    ['the typ of a logout token', { typ: 'logout+jwt' }],
    ['no kid', { kid: undefined }],
  ])('is refused with %s in its header, as ever', (_what, head) => {
    expect(outcome(mint(user, { ...header, ...head }))).toMatch(/^token_/);
  });

  it('is refused where its dialect is not named', () => {
    const strict = { ...options };
    delete strict.dialect;
    expect(outcome(mint(user), verifierWith(strict))).toMatch(/^token_/);
  });
});

describe('the presets', () => {
  it('know where each issuer publishes its keys', () => {
    const audience = 'a';
    const uris = [
      keycloak({ url: 'https://sso.example.com/', realm: 'my shop', audience }),
      auth0({ domain: 'shop.eu.auth0.com', audience }),
      entraId({ tenantId: TENANT, audience }),
      cognito({ region: 'eu-central-1', userPoolId: 'eu-central-1_Abc', clientIds: 'web' }),
    ].map(({ issuer, keys }) => [issuer, (keys as { jwksUri: string }).jwksUri]);
    expect(uris).toEqual([
      [
        'https://sso.example.com/realms/my%20shop',
        'https://sso.example.com/realms/my%20shop/protocol/openid-connect/certs',
      ],
      ['https://shop.eu.auth0.com/', 'https://shop.eu.auth0.com/.well-known/jwks.json'],
      [
        `https://login.microsoftonline.com/${TENANT}/v2.0`,
        `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`,
      ],
      [
        'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Abc',
        'https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Abc/.well-known/jwks.json',
      ],
    ]);
  });

  it("of Keycloak can take a client's roles in place of the realm's", () => {
    const terms = keycloak({
      url: 'https://sso.example.com',
      realm: 'shop',
      audience: 'orders-api',
      clientRoles: 'orders-api',
      keys,
    });
    const issuer = createTestIssuer({ issuer: terms.issuer, audience: 'orders-api' });
    const verifier = verifierWith(terms);
    const claims = keycloakDialect.user;
    const principal = verifier.verify(
      issuer.token({ claims, header: { typ: 'JWT' } }),
    ) as Principal;
    expect(principal.roles).toEqual(['admin']);
  });

  it('of Keycloak are not fooled by a user who is called like a service account', () => {
    const { options, user } = keycloakDialect;
    const issuer = createTestIssuer({ issuer: options.issuer, audience: 'orders-api' });
    const verifier = verifierWith(options);
    const claims = { ...user, preferred_username: 'service-account-web' };
    const principal = verifier.verify(
      issuer.token({ claims, header: { typ: 'JWT' } }),
    ) as Principal;
    expect(principal.kind).toBe('user');
  });
});

describe('claims of your own', () => {
  const issuer = createTestIssuer();
  const withAttributes = (attributes: IssuerOptions['attributes']) =>
    new TokenVerifier({
      ...issuer.options,
      keys: keySource(issuer.keys, issuer.options),
      ...(attributes && { attributes }),
    });

  it('are read when a token is verified, kept with the principal, and frozen', () => {
    let reads = 0;
    const verifier = withAttributes(({ tenant }) => ({ tenant, reads: (reads += 1) }));
    const token = issuer.token({ claims: { tenant: 't1' } });
    for (let i = 0; i < 5; i++) void verifier.verify(token);
    const { attributes } = verifier.verify(token) as Principal<{ tenant: string; reads: number }>;
    // Its first two uses are verified; then it is remembered.
    expect(attributes).toEqual({ tenant: 't1', reads: 2 });
    expect(Object.isFrozen(attributes)).toBe(true);
    expect((withAttributes(undefined).verify(token) as Principal).attributes).toEqual({});
  });

  it('that are not as they must be refuse the token, without a word of them', () => {
    const verifier = withAttributes(({ tenant }) => {
      throw new Error(`what is ${String(tenant)}?`);
    });
    const token = issuer.token({ claims: { tenant: 'secret' } });
    expect(() => verifier.verify(token)).toThrow('The claims are not what this service needs.');
  });
});
