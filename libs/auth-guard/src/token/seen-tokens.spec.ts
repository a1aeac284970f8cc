import { randomBytes } from 'node:crypto';
import { SeenTokens } from './seen-tokens.js';

/** The end of a token: what it is told by. */
const signature = () => randomBytes(256).toString('base64url');

describe('tokens that came before', () => {
  it('are told from those that come for the first time', () => {
    const seen = new SeenTokens(10_000);
    const tokens = Array.from({ length: 500 }, signature);
    expect(tokens.filter((token) => seen.comesAgain(token))).toEqual([]);
    // Two may have had the same place: the later one has it.
    expect(tokens.filter((token) => seen.comesAgain(token)).length).toBeGreaterThan(450);
  });

  it('are told by their text, not by the string that holds it', () => {
    const seen = new SeenTokens(1);
    const token = signature();
    expect(seen.comesAgain(token)).toBe(false);
    expect(seen.comesAgain(Buffer.from(token).toString())).toBe(true);
  });

  it('are forgotten when many others have come since', () => {
    const seen = new SeenTokens(100);
    const token = signature();
    seen.comesAgain(token);
    for (let i = 0; i < 10_000; i++) seen.comesAgain(signature());
    expect(seen.comesAgain(token)).toBe(false);
  });

  it.each([0, 1, 3, 1_000_000])('are told in any room: that of %i', (count) => {
    const seen = new SeenTokens(count);
    const token = signature();
    expect([seen.comesAgain(token), seen.comesAgain(token)]).toEqual([false, true]);
  });
});
