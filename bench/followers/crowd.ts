import { keySource, RevocationFollower } from '@signet/auth-guard';
import type { Principal } from '@signet/auth-guard';

/** What a crowd is asked, and answers. Times are nanoseconds of the machine's own clock. */
export type CrowdMessage =
  | { kind: 'follow'; issuer: string; followers: number }
  | { kind: 'await'; principal: Principal }
  | { kind: 'status' };

export interface CrowdStatus {
  connected: number;
  connections: number;
  /** Where the follower is that is behind the others. */
  seq: number;
}

/** Many followers in a process of their own. They share a key set, as nothing here is about keys. */
let followers: RevocationFollower[] = [];
let sought: Principal | undefined;
let heard: bigint[] = [];

process.on('message', (message: CrowdMessage) => void answer(message));
process.on('disconnect', () => process.exit());

async function answer(message: CrowdMessage): Promise<void> {
  if (message.kind === 'follow') await follow(message.issuer, message.followers);
  if (message.kind === 'await') {
    sought = message.principal;
    heard = [];
  }
  process.send?.(message.kind === 'status' ? status() : 'done');
}

async function follow(issuer: string, count: number): Promise<void> {
  const keys = keySource({ jwksUri: `${issuer}/.well-known/jwks.json` }, { issuer });
  await keys.start?.();
  followers = Array.from({ length: count }, () => {
    const follower = new RevocationFollower({ url: `${issuer}/revocations` }, { issuer, keys });
    let last: Principal | undefined;
    follower.onRevoked(() => {
      if (!sought || last === sought || !follower.isRevoked(sought)) return;
      last = sought;
      heard.push(process.hrtime.bigint());
      if (heard.length === count) process.send?.(heard);
    });
    return follower;
  });
  await Promise.all(followers.map((follower) => follower.start()));
}

function status(): CrowdStatus {
  const all = followers.map((follower) => follower.status);
  return {
    connected: all.filter(({ connected, age }) => connected && age < 10).length,
    connections: all.reduce((sum, { connections }) => sum + connections, 0),
    seq: Math.min(...all.map(({ seq }) => seq ?? 0)),
  };
}
