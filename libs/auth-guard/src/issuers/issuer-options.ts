import type { KeysOptions } from '../keys/from-options.js';
import type { RevocationOptions } from '../revocation/issuer-revocations.js';
import type { TokenVerifierOptions } from '../token/verifier.js';

/** One issuer whose tokens are accepted, and on what terms. */
export interface IssuerOptions extends Omit<
  TokenVerifierOptions,
  'keys' | 'clock' | 'boundTokens' | 'revocation'
> {
  /**
   * Where the keys come from: `{ jwksUri, snapshotPath? }` for an issuer that publishes them,
   * `{ publicKey, kid? }` or `{ jwks }` for keys that are given, or a `KeySource` of your own.
   */
  keys: KeysOptions;
  /**
   * Which of its tokens are void before their time: `{ feed: { url } }` to follow the feed that it
   * publishes, `isRevoked` for knowledge of your own. Without either, they are good until they expire.
   */
  revocation?: RevocationOptions;
}

/** What a preset leaves to say: everything but the issuer's name and its dialect. */
export interface PresetOptions extends Omit<IssuerOptions, 'issuer' | 'keys' | 'dialect'> {
  /** The issuer's published keys by default; name another source to add a snapshot or a proxy. */
  keys?: KeysOptions;
}
