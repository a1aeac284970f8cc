import { randomUUID } from 'node:crypto';
import { Client, ROLES, SERVICES, world } from './system/world.ts';
import type { Role, Service } from './system/world.ts';

const client = new Client(world());

/** Who may call what, of everything that is not public. */
const ACCESS: Record<Service, Record<string, readonly Role[] | 'user' | 'service'>> = {
  auth: {
    'POST /auth/logout': 'user',
    'POST /auth/logout-all': 'user',
    'GET /auth/me': 'user',
    'GET /auth/sessions': 'user',
    'POST /auth/sign-on': 'user',
    'DELETE /auth/sessions/{id}': 'user',
    'POST /auth/password': 'user',
    'GET /admin/users': ['admin'],
    'GET /admin/users/{id}': ['admin'],
    'PUT /admin/users/{id}/roles': ['admin'],
    'POST /admin/users/{id}/disable': ['admin'],
    'POST /admin/users/{id}/enable': ['admin'],
    'GET /admin/users/{id}/sessions': ['admin'],
    'DELETE /admin/users/{id}/sessions': ['admin'],
    'DELETE /admin/users/{id}/sessions/{sid}': ['admin'],
    'GET /admin/keys': ['admin'],
    'POST /admin/keys/rotate': ['admin'],
    'GET /admin/audit': ['admin'],
    'GET /admin/revocations': ['admin'],
    'GET /admin/clients': ['admin'],
    'GET /admin/clients/{id}': ['admin'],
    'POST /admin/clients': ['admin'],
    'PUT /admin/clients/{id}': ['admin'],
    'POST /admin/clients/{id}/secret': ['admin'],
    'POST /admin/clients/{id}/disable': ['admin'],
    'POST /admin/clients/{id}/enable': ['admin'],
  },
  orders: {
    'POST /orders': ['customer'],
    'GET /orders': ['customer'],
    'GET /orders/{id}': ['customer'],
    'POST /orders/{id}/cancel': ['customer'],
    'GET /admin/orders': ['support', 'admin'],
    'GET /admin/orders/{id}': ['support', 'admin'],
    'POST /admin/orders/{id}/cancel': ['admin'],
    'POST /admin/orders/{id}/ship': ['admin'],
    'POST /admin/orders/{id}/refund': ['admin'],
    'POST /admin/orders/{id}/resume': ['admin'],
    'POST /admin/orders/{id}/settle': ['admin'],
    'POST /admin/orders/resume': ['admin'],
    'GET /orders/{id}/events': ['customer'],
    'GET /admin/audit': ['admin'],
  },
  payments: {
    'GET /payments': ['customer'],
    'GET /payments/{id}': 'user',
    'GET /admin/payments': ['support', 'admin'],
    'POST /admin/payments/{id}/refunds': ['admin'],
    'GET /admin/audit': ['admin'],
    'GET /internal/payments': 'service',
    'POST /internal/payments': 'service',
    'GET /internal/payments/refund-changes': 'service',
    'GET /internal/payments/{id}': 'service',
    'POST /internal/payments/{id}/capture': 'service',
    'POST /internal/payments/{id}/void': 'service',
    'POST /internal/payments/{id}/refunds': 'service',
  },
  inventory: {
    'POST /products': ['warehouse', 'admin'],
    'PATCH /products/{sku}': ['warehouse', 'admin'],
    'POST /products/{sku}/stock': ['warehouse', 'admin'],
    'GET /products/{sku}/movements': ['warehouse', 'admin'],
    'GET /admin/audit': ['admin'],
    'GET /internal/reservations/{orderId}': 'service',
    'PUT /internal/reservations/{orderId}': 'service',
    'POST /internal/reservations/{orderId}/extend': 'service',
    'POST /internal/reservations/{orderId}/commit': 'service',
    'POST /internal/reservations/{orderId}/return': 'service',
    'DELETE /internal/reservations/{orderId}': 'service',
  },
};

const routes = SERVICES.flatMap((service) =>
  Object.entries(ACCESS[service]).map(([route, access]) => ({ service, route, access })),
);

/** Somebody's thing that does not exist, so that no allowed call changes anything. */
const concrete = (route: string) =>
  route
    .replace(/\{(id|orderId)\}/, randomUUID())
    .replace('{sid}', 'no-such-session')
    .replace('{sku}', 'NO-SUCH-SKU');

describe.each(SERVICES)('the routes of %s', (service) => {
  it('are public or stand in the table above: nothing was forgotten', async () => {
    const { body } = await client.call(service, 'GET /docs/json');
    const paths = body.paths as Record<string, Record<string, { security?: object[] }>>;
    const guarded = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        // An empty alternative: there without a token as well.
        .filter(([, { security = [{}] }]) => security.every((one) => Object.keys(one).length > 0))
        .map(([method]) => `${method.toUpperCase()} ${path}`),
    );
    expect(guarded.sort()).toEqual(Object.keys(ACCESS[service]).sort());
  });

  it('refuse with the address of metadata that names the issuer (RFC 9728)', async () => {
    const [route = ''] = Object.keys(ACCESS[service]);
    const refused = await client.call(service, concrete(route));
    const challenge = refused.headers.get('www-authenticate') ?? '';
    const address = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? '';
    const metadata = (await (await fetch(address)).json()) as Record<string, unknown>;
    const discovered = await client.call('auth', 'GET /.well-known/openid-configuration');
    expect(metadata.authorization_servers).toEqual([discovered.body.issuer]);
    expect(address).toBe(`${String(metadata.resource)}/.well-known/oauth-protected-resource`);
  });
});

describe.each(routes)('$service: $route', ({ service, route, access }) => {
  it('asks who is there when nobody says', async () => {
    const answer = await client.call(service, concrete(route));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(
      /^Bearer realm="[^"]+", resource_metadata="[^"]+", DPoP realm=/,
    );
    expect(answer.headers.get('www-authenticate')).not.toMatch(/error=/);
    expect(answer.body).toMatchObject({ code: 'token_missing' });
  });

  it.each(ROLES)('opens to %s exactly when the table says so', async (role) => {
    const { access_token: token } = await sessionOf(role);
    const answer = await client.call(service, concrete(route), { token });
    const allowed = access === 'user' || (access !== 'service' && access.includes(role));
    if (allowed) expect([401, 403]).not.toContain(answer.status);
    else expect([answer.status, answer.body.code]).toEqual([403, 'insufficient_scope']);
  });
});

/** A login of its own for each call, since some of the calls end the login. */
function sessionOf(role: Role) {
  return client.logIn(`${role}@signet.test`, world().passwords[role]);
}
