import type { TokenVerifierOptions } from '../token/verifier.js';
import type { KeysOptions } from '../keys/from-options.js';

/** What `AuthGuardModule.forRoot()` takes. Everything but `issuer`, `audience` and `keys` has a default. */
export interface AuthGuardOptions extends Omit<TokenVerifierOptions, 'keys'> {
  /**
   * Where the keys come from: `{ jwksUri, snapshotPath? }` for an issuer that publishes them,
   * `{ publicKey, kid? }` or `{ jwks }` for keys that are given, or a `KeySource` of your own.
   */
  keys: KeysOptions;
  /** `realm` of the challenge (RFC 9110 section 11.5); the first audience by default. */
  realm?: string;
}
