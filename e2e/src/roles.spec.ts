import { setTimeout as sleep } from 'node:timers/promises';
import { Client, world } from './system/world.ts';
import type { Tokens } from './system/world.ts';

const client = new Client(world());

async function refresh(tokens: Tokens): Promise<Tokens> {
  const { refresh_token } = tokens;
  const answer = await client.call('auth', 'POST /auth/refresh', { body: { refresh_token } });
  expect(answer.status).toBe(200);
  return answer.body as unknown as Tokens;
}

describe('a role', () => {
  it('that is granted works in every service after the next refresh', async () => {
    const admin = await client.tokenOf('admin');
    const before = await client.register();
    const me = await client.call('auth', 'GET /auth/me', { token: before.access_token });

    const granted = await client.call('auth', `PUT /admin/users/${String(me.body.id)}/roles`, {
      token: admin,
      body: { roles: ['customer', 'support'] },
    });
    expect(granted.status).toBe(200);

    const { access_token: token } = await refresh(before);
    const orders = await client.call('orders', 'GET /admin/orders', { token });
    const payments = await client.call('payments', 'GET /admin/payments', { token });
    expect([orders.status, payments.status]).toEqual([200, 200]);
  });

  it('that is taken in the very second in which it was granted opens nothing any more, in any service', async () => {
    const admin = await client.tokenOf('admin');
    const user = await client.register();
    const me = await client.call('auth', 'GET /auth/me', { token: user.access_token });
    const give = async (...roles: string[]) => {
      const route = `PUT /admin/users/${String(me.body.id)}/roles`;
      const answer = await client.call('auth', route, { token: admin, body: { roles } });
      expect(answer.status).toBe(200);
    };
    const read = async (token: string) => {
      const orders = await client.call('orders', 'GET /admin/orders', { token });
      const payments = await client.call('payments', 'GET /admin/payments', { token });
      return [orders.status, payments.status];
    };
    await give('customer', 'support');
    const promoted = await refresh(user);
    await give('customer');
    const demoted = await refresh(promoted);
    for (let wait = 0; wait < 20 && !(await read(promoted.access_token)).every(is401); wait++) {
      await sleep(100);
    }
    expect(await read(promoted.access_token)).toEqual([401, 401]);
    expect(await read(demoted.access_token)).toEqual([403, 403]);
  });

  it('cannot be granted to oneself, nor invented', async () => {
    const { access_token: token } = await client.register();
    const me = await client.call('auth', 'GET /auth/me', { token });
    const route = `PUT /admin/users/${String(me.body.id)}/roles`;
    const own = await client.call('auth', route, { token, body: { roles: ['admin'] } });
    expect(own.status).toBe(403);
    const invented = await client.call('auth', route, {
      token: await client.tokenOf('admin'),
      body: { roles: ['emperor'] },
    });
    expect(invented.status).toBe(400);
  });
});

describe('a refresh token', () => {
  it('that is sent again, because the answer was lost, gets the same successor', async () => {
    const first = await client.register();
    const second = await refresh(first);
    const again = await refresh(first);
    expect(again.refresh_token).toBe(second.refresh_token);
    await refresh(second);
  });

  it('that is sent again after its successor was used ends the login it came from', async () => {
    const first = await client.register();
    const second = await refresh(first);
    const third = await refresh(second);
    for (const { refresh_token } of [first, second, third]) {
      const answer = await client.call('auth', 'POST /auth/refresh', { body: { refresh_token } });
      expect(answer.status).toBe(401);
    }
  });

  it('is worth nothing after logout', async () => {
    const { access_token: token, refresh_token } = await client.register();
    expect((await client.call('auth', 'POST /auth/logout', { token })).status).toBe(204);
    const answer = await client.call('auth', 'POST /auth/refresh', { body: { refresh_token } });
    expect(answer.status).toBe(401);
  });
});

function is401(status: number): boolean {
  return status === 401;
}
