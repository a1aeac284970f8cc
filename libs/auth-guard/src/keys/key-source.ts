import type { KeyObject } from 'node:crypto';

/**
 * Where the verifier gets its keys. The guard brings two: keys that are given at boot, and a remote
 * JWK set. Implement it yourself when the keys live in the same process, as an issuer's do.
 */
export interface KeySource {
  /**
   * The public RSA key that has this `kid` now. Called on every use of a token, repeated ones too:
   * answer from memory, and with the same object for as long as the key is the same. A promise is
   * for the rare case of a key that has to be looked up first.
   *
   * @returns undefined when there is no such key: the token is answered with 401
   * @throws {KeysUnavailableError} when it cannot be told: the request is answered with 503
   */
  getKey(kid: string): KeyObject | undefined | Promise<KeyObject | undefined>;
  /**
   * Calls `listener` with the `kid` of each key that is good no longer, withdrawn or replaced by another of
   * its name, at the moment at which `getKey` stops to give it. Streams and sockets that a token of that key
   * opened are ended then; with a source that does not tell, they go on until their token is over.
   */
  onWithdrawn?(listener: (kid: string) => void): void;
  /** Called once, before the application serves. A rejection keeps it from starting. */
  start?(): void | Promise<void>;
  /** Called when the application closes. */
  close?(): void | Promise<void>;
  /** Whether tokens can be verified now. A source without it is always ready. */
  isReady?(): boolean;
  /** What it stands on, for metrics. */
  status?(): KeyStatus;
}

/** What a key source stands on, for metrics. */
export interface KeyStatus {
  /** Keys that verify tokens now. */
  count: number;
  /** Seconds since they were asked for; undefined while there are none. */
  age: number | undefined;
  /** Since the start. */
  fetches: {
    /** The set came, and could be used. */
    succeeded: number;
    /** It did not come, or must not be used. */
    failed: number;
  };
}
