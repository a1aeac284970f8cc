import { money } from './money.js';

describe('an amount of money', () => {
  it.each(['EUR', 'USD', 'JPY', 'CHF'])('may be in %s', (currency) => {
    expect(money.parse({ amount: 1, currency })).toEqual({ amount: 1, currency });
  });

  it.each(['ABC', 'ZZZ', 'eur', 'EURO', ''])('is not in %j, which is no currency', (currency) => {
    const [issue] = money.safeParse({ amount: 1, currency }).error?.issues ?? [];
    expect(issue?.message).toBe('expected an ISO 4217 code in capitals, such as EUR');
  });
});
