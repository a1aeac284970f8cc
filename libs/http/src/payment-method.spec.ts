import { paymentMethod } from './payment-method.js';

describe('a means of payment', () => {
  it.each([
    'tok_ok',
    'pm_1NO6mA2eZvKYlo2CEydeHsKT',
    '4242424242424241',
    '123456789012',
    '0000-token',
  ])('may be the token %s', (text) => expect(paymentMethod.parse(text)).toBe(text));

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
