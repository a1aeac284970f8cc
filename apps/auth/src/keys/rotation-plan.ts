import { mayBecome } from './key-states.js';
import type { KeyState } from './key-states.js';

/** What the plan needs to know of a key. Times in milliseconds. */
export interface KeyTimes {
  kid: string;
  state: KeyState;
  createdAt: number;
  activatedAt: number | undefined;
  retiredAt: number | undefined;
}

/** Milliseconds. */
export interface RotationPolicy {
  /** How long a key signs. */
  period: number;
  /** How long a key is published before it signs: until no verifier has a key set without it. */
  announce: number;
  /** How long a key is published after it has signed: until its last token has expired. */
  keep: number;
}

/**
 * Why keys are rotated out of turn: because someone wants to, or because a key is in the wrong hands
 * and must verify nothing any more.
 */
export type RotationRequest = 'rotate' | 'withdraw';

export interface RotationStep {
  kid: string;
  to: KeyState;
}

export interface RotationPlan {
  /** Changes of state, in an order in which at most one key is active at any time. */
  steps: RotationStep[];
  /** How many keys to make and announce. */
  make: number;
  /** Milliseconds until what was requested can be done; undefined when it is in the plan. */
  wait?: number;
}

/** Keys announced at a time: after a rotation, another must be possible at once. */
export const ANNOUNCED = 2;

/** Verifiers refuse a key set without bounds; retired keys beyond these would make it one. */
const MOST_RETIRED = 50;

/**
 * What is to be done about the keys at this moment. Pure: whoever has read the keys under the lock may
 * carry it out.
 */
export function planRotation(
  keys: readonly KeyTimes[],
  now: number,
  policy: RotationPolicy,
  request?: RotationRequest,
): RotationPlan {
  const active = keys.find(({ state }) => state === 'active');
  const retired = keys.filter(({ state }) => state === 'retired');
  const announced = keys
    .filter(({ state }) => state === 'next')
    .sort((one, other) => one.createdAt - other.createdAt);

  const isDue = now >= (active?.activatedAt ?? 0) + policy.period || request !== undefined;
  const isRoom = retired.length < MOST_RETIRED || request === 'withdraw';
  const readyIn = (announced[0]?.createdAt ?? now) + policy.announce - now;
  const successor = isDue && isRoom && readyIn <= 0 ? announced[0] : undefined;

  const withdraws = request === 'withdraw' && successor !== undefined;
  const isOver = ({ retiredAt }: KeyTimes) => withdraws || now >= (retiredAt ?? 0) + policy.keep;
  const steps = retired.filter(isOver).map(({ kid }) => step(kid, 'retired', 'removed'));
  if (successor) {
    if (active) steps.push(step(active.kid, 'active', withdraws ? 'removed' : 'retired'));
    steps.push(step(successor.kid, 'next', 'active'));
  }
  return {
    steps,
    make: Math.max(0, ANNOUNCED - announced.length + (successor ? 1 : 0)),
    ...(request && !successor && { wait: Math.max(readyIn, 1) }),
  };
}

function step(kid: string, from: KeyState, to: KeyState): RotationStep {
  if (!mayBecome(from, to)) throw new Error(`a key cannot become ${to} after ${from}`);
  return { kid, to };
}
