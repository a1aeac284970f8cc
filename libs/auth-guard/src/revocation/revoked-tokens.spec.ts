import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import type { Principal } from '../token/principal.js';
import { RevokedTokens } from './revoked-tokens.js';

const isRevoked = (tokens: RevokedTokens, sessionId: string, issuedAt = 0) =>
  tokens.isRevoked({ sessionId, clientId: 'app', issuedAt } as Principal);

it('finds what is in force and nothing else, however entries come and go', () => {
  const id = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
  const step = fc.oneof(
    fc.record({ id, until: fc.nat(100) }),
    fc.record({ advance: fc.nat(20) }),
    fc.constant('sweep' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const tokens = new RevokedTokens(1000);
      const model = new Map<string, number>();
      let now = 0;
      for (const next of steps) {
        if (next === 'sweep') tokens.sweep(now);
        else if ('advance' in next) now += next.advance;
        else {
          tokens.add({ kind: 'session', ...next });
          model.set(next.id, Math.max(next.until, model.get(next.id) ?? 0));
        }
        for (const [known, until] of model) {
          if (until >= now) expect(isRevoked(tokens, known)).toBe(true);
        }
        expect(isRevoked(tokens, 'never-seen')).toBe(false);
      }
      while (!tokens.sweep(now)) continue;
      const inForce = [...model].filter(([, until]) => until >= now);
      expect(tokens.size).toBe(inForce.length);
    }),
  );
});

it('sweeps many entries in parts, and none is lost on the way', () => {
  const tokens = new RevokedTokens(20_000);
  for (let n = 0; n < 12_000; n++) {
    tokens.add({ kind: 'session', id: `session-${n}`, until: n % 2 === 0 ? 10 : 100 });
  }
  let parts = 1;
  for (; !tokens.sweep(50); parts++) {
    tokens.add({ kind: 'session', id: `late-${parts}`, until: 100 });
    for (let n = 1; n < 12_000; n += 1000) expect(isRevoked(tokens, `session-${n}`)).toBe(true);
  }
  expect(parts).toBeGreaterThan(2);
  expect(isRevoked(tokens, 'late-1')).toBe(true);
  expect(tokens.size).toBe(6_000 + parts - 1);
  // Twice more: enough have gone for the filter to be made anew.
  for (let turns = 0; turns < 2; turns++) while (!tokens.sweep(50)) continue;
  for (let n = 1; n < 12_000; n += 2) expect(isRevoked(tokens, `session-${n}`)).toBe(true);
  expect(isRevoked(tokens, 'session-0')).toBe(false);
});

it('takes nothing from the heap for a look-up', () => {
  const tokens = new RevokedTokens(1000);
  const ids = Array.from({ length: 200 }, () => randomUUID());
  for (const id of ids.slice(100)) tokens.add({ kind: 'session', id, until: 100 });
  tokens.add({ kind: 'client', id: 'another', until: 100 });
  const principals = ids.map(
    (id) => ({ sessionId: id, clientId: 'app', issuedAt: 1 }) as Principal,
  );
  const grown = Array.from({ length: 25 }, () => {
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; round < 50; round++) {
      for (const principal of principals) tokens.isRevoked(principal);
    }
    return process.memoryUsage().heapUsed - before;
  });
  // Rounds are too short for the collector to hide in most of them what was taken.
  const [middle = Infinity] = grown.sort((one, other) => one - other).slice(12);
  // The smallest object has 16 bytes.
  expect(middle / (50 * ids.length)).toBeLessThan(4);
});
