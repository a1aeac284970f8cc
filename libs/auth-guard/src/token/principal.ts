import type { JsonObject } from '../jws/json.js';

/**
 * Who is calling, as a verified access token says. Frozen all the way down, since one object may
 * serve many requests that carry the same token.
 */
export interface Principal<Attributes extends object = Readonly<Record<string, unknown>>> {
  /**
   * `user`: a person, or software acting for one. `service`: software acting for itself (client
   * credentials), which RFC 9068 section 2.2 shows by a `sub` that equals `client_id`.
   */
  readonly kind: 'user' | 'service';
  /** `iss`: who says all this. Ids are unique within one issuer, and mean nothing across several. */
  readonly issuer: string;
  /** `sub`: the user's id, or the client's for a service. */
  readonly subject: string;
  /** `client_id`: the client that the token was issued to. */
  readonly clientId: string;
  /** `sid`: the login that the token belongs to. Absent for a service. */
  readonly sessionId?: string | undefined;
  /** `roles` (RFC 9068 section 2.2.3.1); empty when the token has none. */
  readonly roles: readonly string[];
  /** `scope`, split; empty when the token has none. */
  readonly scopes: readonly string[];
  /** `aud`, always as a list. */
  readonly audience: readonly string[];
  /** `iat`, in seconds since the epoch. */
  readonly issuedAt: number;
  /** `exp`, in seconds since the epoch. */
  readonly expiresAt: number;
  /** `jti` */
  readonly tokenId: string;
  /** `kid` of the header: the issuer's name for the key that signed the token. */
  readonly keyId: string;
  /** `auth_time`: when the user last proved who they are, in seconds since the epoch. */
  readonly authTime?: number | undefined;
  /** `acr`: how strongly they did. */
  readonly acr?: string | undefined;
  /** `amr`: by which means (RFC 8176). */
  readonly amr?: readonly string[] | undefined;
  /**
   * The thumbprint of the key that the token is bound to (`cnf.jkt`, RFC 9449 section 6.1). Its
   * possession has been proved.
   */
  readonly boundTo?: string | undefined;
  /** What the option `attributes` reads out of the claims; empty without it. */
  readonly attributes: Attributes;
  /** Every claim of the token as it came. */
  readonly claims: JsonObject;
}
