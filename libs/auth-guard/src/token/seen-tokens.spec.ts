import { randomBytes } from 'node:crypto';
import { SeenTokens } from './seen-tokens.js';

/** The end of a token: what it is told by. */
const signatures = (count: number) =>
  Array.from({ length: count }, () => randomBytes(48).toString('base64url'));

describe('tokens that came before', () => {
  it('are told from those that come for the first time, all but a few', () => {
    const seen = new SeenTokens(10_000);
    const early = signatures(30_000).filter((token) => seen.comesAgain(token));
    expect(early.length).toBeLessThan(900);
  });

  it.each([1, 100, 10_000])(
    'are all known while no more than %i came for the first time',
    (count) => {
      const seen = new SeenTokens(count);
      for (const token of signatures(count / 2)) seen.comesAgain(token);
      const tokens = signatures(count);
      for (const token of tokens) seen.comesAgain(token);
      expect(tokens.every((token) => seen.comesAgain(token))).toBe(true);
    },
  );

  it('are told by their text, not by the string that holds it', () => {
    const seen = new SeenTokens(1);
    const [token = ''] = signatures(1);
    expect(seen.comesAgain(token)).toBe(false);
    expect(seen.comesAgain(Buffer.from(token).toString())).toBe(true);
  });

  it('are forgotten when twice as many others have come since', () => {
    const seen = new SeenTokens(1000);
    const tokens = signatures(1000);
    for (const token of tokens) seen.comesAgain(token);
    for (const token of signatures(2500)) seen.comesAgain(token);
    expect(tokens.filter((token) => seen.comesAgain(token)).length).toBeLessThan(100);
  });
});
