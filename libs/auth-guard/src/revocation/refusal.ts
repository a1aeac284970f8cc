/** Why something that came over the feed's wire was not believed. */
export const REFUSAL_REASONS = [
  /** Not a JWS, not of the right form, cut off, or not what its own signed hash says. */
  'malformed',
  /** More bytes than anything honest has. */
  'oversized',
  /** Signed, but another `typ`: an access token or one message in the place of another. */
  'mistyped',
  /** Of another issuer, or for another audience. */
  'misaddressed',
  /** The signature is wrong, or nobody knows the key. */
  'forged',
  /** Known already. */
  'replayed',
  /** Something between this and what is known is missing. */
  'gapped',
  /** It follows upon another history than the one that is known. */
  'forked',
  /** Less than what is known, and not said later. */
  'rolled_back',
  /** Too old to be acted upon. */
  'outdated',
  /** From the future, by more than clocks may differ. */
  'premature',
] as const;

/** Why a message of the feed was not believed. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** A message of the feed that is not believed. */
export class FeedRefusal extends Error {
  override readonly name = 'FeedRefusal';

  constructor(readonly reason: RefusalReason) {
    super(`the revocation feed sent something ${reason.replace('_', ' ')}`);
  }
}
