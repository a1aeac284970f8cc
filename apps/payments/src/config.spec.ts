import { paymentsConfig } from './config.js';

const environment = {
  DATABASE_URL: 'postgres://localhost/payments',
  SIGNET_PAYMENT_PROVIDER: 'sandbox',
  SIGNET_SANDBOX_API_KEY: 'key-of-the-sandbox-provider',
  SIGNET_SANDBOX_WEBHOOK_SECRETS: 'the-first-of-the-secrets,the-second-of-the-secrets',
};

describe('the payments service', () => {
  it('believes two secrets while they rotate', () => {
    expect(paymentsConfig(environment).SIGNET_SANDBOX_WEBHOOK_SECRETS).toEqual([
      'the-first-of-the-secrets',
      'the-second-of-the-secrets',
    ]);
  });

  it.each([
    '',
    ' ',
    ',',
    'the-first-of-the-secrets,',
    ',the-first-of-the-secrets',
    'short',
    '   ,   ',
  ])('does not start with the webhook secrets "%s"', (SIGNET_SANDBOX_WEBHOOK_SECRETS) => {
    expect(() => paymentsConfig({ ...environment, SIGNET_SANDBOX_WEBHOOK_SECRETS })).toThrow(
      'SIGNET_SANDBOX_WEBHOOK_SECRETS',
    );
  });

  it.each([
    ['without a provider', { SIGNET_PAYMENT_PROVIDER: undefined }, 'SIGNET_PAYMENT_PROVIDER'],
    ['with an unknown one', { SIGNET_PAYMENT_PROVIDER: 'paypal' }, 'SIGNET_PAYMENT_PROVIDER'],
    ['without its key', { SIGNET_SANDBOX_API_KEY: '' }, 'SIGNET_SANDBOX_API_KEY'],
    ['with Stripe and no key', { SIGNET_PAYMENT_PROVIDER: 'stripe' }, 'SIGNET_STRIPE_API_KEY'],
    [
      'with Stripe and no webhook secret',
      { SIGNET_PAYMENT_PROVIDER: 'stripe', SIGNET_STRIPE_API_KEY: 'sk_test_0123456789' },
      'SIGNET_STRIPE_WEBHOOK_SECRETS',
    ],
    [
      'when it would ask before the answer can be late',
      { SIGNET_PROVIDER_DEADLINE_MS: '5000', SIGNET_RECONCILE_AFTER_MS: '5000' },
      'SIGNET_RECONCILE_AFTER_MS',
    ],
    [
      'when the answer may be as late as it would ask by default',
      { SIGNET_PROVIDER_DEADLINE_MS: '60000' },
      'SIGNET_RECONCILE_AFTER_MS is left at its default',
    ],
  ])('does not start %s', (_what, change, variable) => {
    expect(() => paymentsConfig({ ...environment, ...change })).toThrow(variable);
  });

  it('complains of the one variable that is wrong', () => {
    const read = () => paymentsConfig({ ...environment, SIGNET_PROVIDER_DEADLINE_MS: '70000' });
    expect(read).toThrow('SIGNET_PROVIDER_DEADLINE_MS is not valid');
    expect(read).not.toThrow('SIGNET_RECONCILE_AFTER_MS');
  });
});
