import { readSettings } from './settings.ts';

it('takes the usual ports and the embedded database when nothing is set', () => {
  expect(readSettings({ SIGNET_AUTH_PORT: '', DATABASE_URL: '' })).toEqual({
    ports: {
      auth: 3000,
      orders: 3001,
      payments: 3002,
      inventory: 3003,
      sandbox: 3010,
      postgres: 5442,
    },
    databaseUrl: undefined,
    demoPassword: undefined,
  });
});

it('lets each port be changed', () => {
  expect(readSettings({ SIGNET_ORDERS_PORT: '4001', SIGNET_POSTGRES_PORT: '6000' }).ports).toEqual({
    ...{ auth: 3000, orders: 4001, payments: 3002, inventory: 3003, sandbox: 3010, postgres: 6000 },
  });
});

it.each(['0', '65536', '3e3', '-1', 'http', '0x10'])('refuses %s for a port', (port) => {
  expect(() => readSettings({ SIGNET_PAYMENTS_PORT: port })).toThrow(
    `SIGNET_PAYMENTS_PORT is "${port}": expected a port, 1 to 65535.`,
  );
});

it('refuses a DATABASE_URL of another kind without repeating it', () => {
  for (const url of ['mysql://root:hunter2@localhost/db', 'hunter2', 'postgresql:///hunter2']) {
    expect(() => readSettings({ DATABASE_URL: url })).toThrow(/^DATABASE_URL is not(?!.*hunter2)/);
  }
});

it('refuses a demo password that auth would refuse', () => {
  for (const password of ['elevenchars', 'x'.repeat(129)]) {
    expect(() => readSettings({ SIGNET_DEMO_PASSWORD: password })).toThrow('12 to 128 characters');
  }
  expect(readSettings({ SIGNET_DEMO_PASSWORD: 'twelve chars' }).demoPassword).toBe('twelve chars');
});
