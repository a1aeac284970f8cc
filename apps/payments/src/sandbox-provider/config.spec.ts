import { sandboxConfig } from './config.js';

const environment = {
  SIGNET_SANDBOX_DATA: '/nowhere/ledger',
  SIGNET_SANDBOX_API_KEY: 'key-of-the-sandbox-provider',
  SIGNET_SANDBOX_WEBHOOK_SECRET: 'secret-of-the-sandbox-provider',
};

describe('the sandbox provider', () => {
  it.each([
    ['notjson', 'expected JSON'],
    ['null', 'expected an object'],
    ['{"loss":1}', 'there is no loss'],
    ['{"declines":"often"}', 'declines: expected a number'],
  ])('does not start with the chaos %s, and says which variable it is', (chaos, what) => {
    const read = () => sandboxConfig({ ...environment, SIGNET_SANDBOX_CHAOS: chaos });
    expect(read).toThrow(/^SIGNET_SANDBOX_CHAOS is not valid: /);
    expect(read).toThrow(what);
  });

  it.each(Object.keys(environment))('does not start without %s', (name) => {
    expect(() => sandboxConfig({ ...environment, [name]: ' ' })).toThrow(`${name} is not set`);
  });
});
