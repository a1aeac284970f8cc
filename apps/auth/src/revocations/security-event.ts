import { extendChain, REVOCATION_FEED } from '@signet/auth-guard';
import type { Position, Revocation } from '@signet/auth-guard';
import { randomUUID } from 'node:crypto';

/** An entry on its way into the feed. */
export interface Unpublished {
  revocation: Revocation;
  /** The same for all entries of one cause. */
  txn: string;
  createdAt: Date;
}

export interface PublishedAt extends Position {
  /** The claims of its Security Event Token. */
  claims: Record<string, unknown>;
}

/** Gives each entry its place after `head`, and says what is to be signed of it. */
export function publishAfter(head: Position, entries: readonly Unpublished[]): PublishedAt[] {
  let { seq, chain } = head;
  return entries.map((entry) => {
    seq += 1;
    chain = extendChain(chain, entry.revocation);
    return { seq, chain, claims: { ...securityEvent(entry), seq, chain } };
  });
}

/**
 * The claims of a Security Event Token (RFC 8417) with a CAEP 1.0 event. What verifiers act upon stands
 * beside the event: `before`, `until`, `seq` and `chain`. The feed is public, so it has ids that mean
 * nothing elsewhere, and neither names nor reasons; which roles a user has now is not said.
 */
export function securityEvent({ revocation, txn, createdAt }: Unpublished) {
  const { kind, id, before, until } = revocation;
  const event_timestamp = Math.floor(createdAt.getTime() / 1000);
  const subject = { format: 'opaque', id };
  return {
    jti: randomUUID(),
    txn,
    sub_id: kind === 'session' ? subject : { format: 'complex', application: subject },
    events:
      before === undefined
        ? { [REVOCATION_FEED.sessionRevoked]: { event_timestamp } }
        : { [REVOCATION_FEED.tokenClaimsChange]: { event_timestamp, claims: { roles: null } } },
    until,
    ...(before !== undefined && { before }),
  };
}
