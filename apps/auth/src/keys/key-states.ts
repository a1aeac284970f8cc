/**
 * The life of a signing key. It is published before it signs, so that every verifier knows it by then,
 * and stays published after it has signed, until the last token that it signed has expired.
 */
export const KEY_STATES = ['next', 'active', 'retired', 'removed'] as const;

export type KeyState = (typeof KEY_STATES)[number];

interface KeyStateRules {
  /** Where a key may go from here. */
  to: readonly KeyState[];
  /** Whether verifiers see it in the key set. */
  published: boolean;
  /** Whether tokens are signed with it. */
  signs: boolean;
}

/** `next → active → retired → removed`; a key that is no longer trusted is removed from anywhere. */
export const KEY_LIFE: Readonly<Record<KeyState, KeyStateRules>> = {
  next: { to: ['active', 'removed'], published: true, signs: false },
  active: { to: ['retired', 'removed'], published: true, signs: true },
  retired: { to: ['removed'], published: true, signs: false },
  removed: { to: [], published: false, signs: false },
};

export function mayBecome(from: KeyState, to: KeyState): boolean {
  return KEY_LIFE[from].to.includes(to);
}
