import type { RevocationOptions } from '../revocation/issuer-revocations.js';
import type { TokenVerifierOptions } from '../token/verifier.js';
import type { KeysOptions } from '../keys/from-options.js';
import type { TokenCookieOptions } from '../authentication/token-cookie.js';
import type { DpopOptions } from '../dpop/options.js';
import type { IssuerOptions } from '../issuers/issuer-options.js';
import type { ResourceMetadataOptions } from '../resource-metadata/options.js';
import type { RpcOptions } from './calls/rpc-calls.js';
import type { SocketOptions } from './sockets/guard-sockets.js';

/** What `AuthGuardModule.forRoot()` takes. Everything but `issuer`, `audience` and `keys` has a default. */
export interface AuthGuardOptions extends Omit<
  TokenVerifierOptions,
  'keys' | 'revocation' | 'boundTokens'
> {
  /**
   * Where the keys come from: `{ jwksUri, snapshotPath? }` for an issuer that publishes them,
   * `{ publicKey, kid? }` or `{ jwks }` for keys that are given, or a `KeySource` of your own.
   */
  keys: KeysOptions;
  /**
   * Further issuers whose tokens are accepted, each on its own terms and by its own keys. A token's `iss`
   * says which one is asked. Ids of users are unique within an issuer: look at `principal.issuer`, too.
   */
  otherIssuers?: readonly IssuerOptions[];
  /**
   * Which tokens are void before their time: `{ feed: { url } }` to follow the issuer's revocation feed,
   * `isRevoked` for knowledge of your own. Without either, a token is good until it expires.
   */
  revocation?: RevocationOptions;
  /** `realm` of the challenge (RFC 9110 section 11.5); the first audience by default. */
  realm?: string;
  /**
   * What this service says about itself (RFC 9728): with `{ resource }` the guard serves the document on its
   * well-known path, open to anybody, and challenges name its address. A text is the address of one that
   * something else serves. None by default.
   */
  resourceMetadata?: string | ResourceMetadataOptions;
  /**
   * Takes the token from a cookie as well, and then checks that requests with an effect come from our
   * own pages. Off by default: a browser sends cookies for whoever asks it to.
   */
  cookie?: TokenCookieOptions;
  /**
   * Accepts tokens that are bound to a key of their client (RFC 9449), with a proof for each request.
   * Without it they are refused.
   */
  dpop?: DpopOptions;
  /** How connections to gateways are let in. With a token each, by default. */
  sockets?: SocketOptions;
  /** Where the messages of microservices carry their token. Without it they are denied. */
  rpc?: RpcOptions;
}
