import { randomBytes } from 'node:crypto';
import { paymentMethod } from './payment-method.js';

describe('a means of payment', () => {
  it.each(['tok_ok', 'pm_1NO6mA2eZvKYlo2CEydeHsKT', 'tok_123456789012'])(
    'may be the token %s',
    (text) => expect(paymentMethod.parse(text)).toBe(text),
  );

  it.each([
    '4242424242424242',
    '4242 4242 4242 4242',
    '4242-4242-4242-4242',
    ' 378282246310005 ',
    '4222222222222',
    '6304000000000000000',
  ])('is never the card number %s, which the refusal does not repeat', (text) => {
    const { error } = paymentMethod.safeParse(text);
    expect(error?.message).toContain('not a card number');
    expect(error?.message).not.toContain(text.trim());
  });
});

it.each(['4242424242424241', '123456789012', '0000-token', 'to', 'tok ok', `t${'o'.repeat(200)}`])(
  'a means of payment is not %s, which is no token',
  (text) => {
    expect(paymentMethod.safeParse(text).success).toBe(false);
  },
);

describe('a card number in disguise', () => {
  const number = '4242424242424242';

  it.each([
    ...[
      `${number};12/30;123`,
      `card ${number}`,
      `tok_${number}`,
      `tok_${number}x`,
      `pm-${number}-123`,
    ],
    ...[
      '4242_4242_4242_4242',
      'c4242_4242-4242__4242',
      '4242/4242/4242/4242',
      '4242–4242–4242–4242',
    ],
    ...['４２４２４２４２４２４２４２４２', `tok_4242\u200b424242424242`, `tok_1${number}`],
  ])('is no means of payment: %s', (text) => {
    expect(paymentMethod.safeParse(text).success).toBe(false);
  });

  it('is not seen in the ids that providers make', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
    for (let n = 0; n < 20_000; n++) {
      const id = Array.from(randomBytes(24), (byte) => alphabet[byte % alphabet.length]).join('');
      expect(paymentMethod.safeParse(`pm_${id}`).success).toBe(true);
    }
  });
});
