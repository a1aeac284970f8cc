import fc from 'fast-check';
import { ANNOUNCED, planRotation } from './rotation-plan.js';
import type { KeyTimes, RotationPlan, RotationRequest } from './rotation-plan.js';

const POLICY = { period: 1000, announce: 100, keep: 300 };

/** The key set of an issuer, and everything that ever happened to its keys. */
class Issuer {
  now = 0;
  keys: KeyTimes[] = [key('first', 'active', 0), key('a', 'next', 0), key('b', 'next', 0)];
  private made = 0;

  advance(milliseconds: number, request?: RotationRequest): RotationPlan {
    this.now += milliseconds;
    const plan = planRotation(this.keys, this.now, POLICY, request);
    for (const { kid, to } of plan.steps) {
      const changed = this.keys.find((known) => known.kid === kid);
      if (!changed) throw new Error(`the plan changes ${kid}, which does not exist`);
      changed.state = to;
      if (to === 'active') changed.activatedAt = this.now;
      if (to === 'retired') changed.retiredAt = this.now;
      expect(this.in('active').length).toBeLessThanOrEqual(1);
    }
    for (let count = 0; count < plan.make; count++) {
      this.keys.push(key(`made-${this.made++}`, 'next', this.now));
    }
    return plan;
  }

  in(state: KeyTimes['state']): KeyTimes[] {
    return this.keys.filter((known) => known.state === state);
  }
}

function key(kid: string, state: KeyTimes['state'], createdAt: number): KeyTimes {
  const activatedAt = state === 'active' ? createdAt : undefined;
  return { kid, state, createdAt, activatedAt, retiredAt: undefined };
}

describe('the schedule', () => {
  it('does nothing while the active key is young', () => {
    expect(new Issuer().advance(999)).toEqual({ steps: [], make: 0 });
  });

  it('activates the key that was announced first, retires the old one and announces another', () => {
    const issuer = new Issuer();
    issuer.advance(1000);
    expect(issuer.in('active')).toMatchObject([{ kid: 'a' }]);
    expect(issuer.in('retired')).toMatchObject([{ kid: 'first' }]);
    expect(issuer.in('next')).toMatchObject([{ kid: 'b' }, { kid: 'made-0' }]);
  });

  it('removes a retired key when its last token has expired, and not before', () => {
    const issuer = new Issuer();
    issuer.advance(1000);
    issuer.advance(299);
    expect(issuer.in('retired')).toHaveLength(1);
    issuer.advance(1);
    expect(issuer.in('removed')).toMatchObject([{ kid: 'first' }]);
  });
});

describe('a rotation on demand', () => {
  it('happens at once, twice in a row even, and then has to wait for an announced key', () => {
    const issuer = new Issuer();
    issuer.advance(500);
    expect(issuer.advance(0, 'rotate').wait).toBeUndefined();
    expect(issuer.advance(0, 'rotate').wait).toBeUndefined();
    expect(issuer.advance(40, 'rotate')).toEqual({ steps: [], make: 0, wait: 60 });
  });

  it('withdraws every key that has ever signed when they cannot be trusted any more', () => {
    const issuer = new Issuer();
    issuer.advance(500, 'rotate');
    issuer.advance(0, 'withdraw');
    expect(issuer.in('active')).toMatchObject([{ kid: 'b' }]);
    expect(issuer.in('removed')).toMatchObject([{ kid: 'first' }, { kid: 'a' }]);
    expect(issuer.in('retired')).toEqual([]);
  });

  it('withdraws nothing when there is no key to go on with', () => {
    const issuer = new Issuer();
    expect(issuer.advance(0, 'withdraw')).toEqual({ steps: [], make: 0, wait: 100 });
    expect(issuer.in('active')).toMatchObject([{ kid: 'first' }]);
  });
});

it('holds its promises whatever is requested and whenever it is carried out', () => {
  const moment = fc.record({
    wait: fc.integer({ min: 0, max: 600 }),
    request: fc.constantFrom(undefined, undefined, undefined, 'rotate', 'withdraw'),
  });
  fc.assert(
    fc.property(fc.array(moment, { maxLength: 60 }), (moments) => {
      const issuer = new Issuer();
      for (const { wait, request } of moments) {
        issuer.advance(wait, request);
        expect(issuer.in('active')).toHaveLength(1);
        expect(issuer.in('next')).toHaveLength(ANNOUNCED);
        for (const { kid, createdAt, activatedAt } of issuer.keys) {
          if (kid === 'first' || activatedAt === undefined) continue;
          expect(activatedAt - createdAt).toBeGreaterThanOrEqual(POLICY.announce);
        }
        expect(issuer.keys.length).toBeGreaterThanOrEqual(1 + ANNOUNCED);
        expect(issuer.in('retired').length).toBeLessThanOrEqual(50);
      }
    }),
  );
});
