import { HttpStatus, Inject, Injectable, Logger } from '@nestjs/common';
import { AuditLog, THE_SERVICE } from '@signet/database';
import type { Actor, Transaction } from '@signet/database';
import { loggable, Problem } from '@signet/http';
import type { AuditAction } from '../audit/audit-actions.js';
import { AUTH_CONFIG } from '../config.js';
import type { AuthConfig } from '../config.js';
import { CURRENT_MS, KeyRing, MAY_SIGN_MS } from './key-ring.js';
import type { KeyState } from './key-states.js';
import { KeyStore } from './key-store.js';
import type { KeyRow } from './key-store.js';
import { planRotation } from './rotation-plan.js';
import type { KeyTimes, RotationPlan, RotationPolicy, RotationRequest } from './rotation-plan.js';
import { generateSigningKey } from './signing-key.js';
import type { NewSigningKey } from './signing-key.js';

const AUDITED: Partial<Record<KeyState, AuditAction>> = {
  active: 'key.activated',
  removed: 'key.withdrawn',
};

const LOOK_MS = 1_000;

/** From when a key is written until others can see it, at most. */
const COMMIT_MS = 1_000;

/** How far a verifier's clock may be behind, and how long it may go on taking an expired token. */
const CLOCK_SKEW_MS = 60_000;

/** Takes the keys through their lives: on schedule, whichever replica comes first, and on demand. */
@Injectable()
export class KeyRotator {
  private readonly logger = new Logger('Keys');
  private readonly policy: RotationPolicy;
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private isClosed = false;

  constructor(
    @Inject(AUTH_CONFIG) config: AuthConfig,
    private readonly store: KeyStore,
    private readonly ring: KeyRing,
    private readonly audit: AuditLog<AuditAction>,
  ) {
    this.policy = {
      period: config.SIGNET_KEY_ROTATION_SECONDS * 1000,
      // A replica may hand out the old set for a while, and whoever gets it keeps it for max-age.
      announce: config.SIGNET_JWKS_MAX_AGE_SECONDS * 1000 + CURRENT_MS + COMMIT_MS,
      // A replica may sign with the old key for a while.
      keep: config.SIGNET_ACCESS_TOKEN_SECONDS * 1000 + CLOCK_SKEW_MS + MAY_SIGN_MS,
    };
  }

  onApplicationBootstrap(): void {
    this.scheduleNext();
  }

  /** Before the pool closes, which waits for `onApplicationShutdown`. */
  async beforeApplicationShutdown(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.working;
  }

  /**
   * Lets the next key sign from now on. The old one goes on verifying until its tokens have expired,
   * or, when keys are withdrawn, verifies nothing any more.
   *
   * @returns the kid that signs now
   * @throws {Problem} 409 `key_not_ready` while no announced key is known to every verifier
   */
  async rotate(request: RotationRequest, actor: Actor): Promise<string> {
    // Making a key takes a while: not while others wait for the lock.
    const spare = await generateSigningKey();
    const active = await this.store.locked(async (transaction) => {
      const plan = await this.planIn(transaction, request);
      if (plan.wait !== undefined) throw notReady(plan.wait);
      await this.carryOut(transaction, plan, { actor, spare });
      return plan.steps.at(-1)?.kid ?? '';
    });
    await this.ring.reload();
    return active;
  }

  private scheduleNext(): void {
    if (this.isClosed) return;
    const work = () => (this.working = this.keepSchedule().finally(() => this.scheduleNext()));
    this.timer = setTimeout(() => void work(), LOOK_MS).unref();
  }

  private async keepSchedule(): Promise<void> {
    try {
      // The keys at hand tell whether there is anything to do; the database's clock decides.
      const rows = this.ring.published().map(({ row }) => row);
      if (isEmpty(planRotation(rows.map(timesOf), Date.now(), this.policy))) return;
      const spare = await generateSigningKey();
      await this.store.lockedIfFree(async (transaction) => {
        const plan = await this.planIn(transaction);
        await this.carryOut(transaction, plan, { actor: THE_SERVICE, spare });
      });
      await this.ring.reload();
    } catch (error) {
      this.logger.error(`The signing keys could not be rotated: ${loggable(error)}`);
    }
  }

  private async planIn(transaction: Transaction, request?: RotationRequest): Promise<RotationPlan> {
    const now = await this.store.now(transaction);
    const rows = await this.store.read(transaction);
    return planRotation(rows.map(timesOf), now, this.policy, request);
  }

  private async carryOut(
    transaction: Transaction,
    { steps, make }: RotationPlan,
    { actor, spare }: { actor: Actor; spare: NewSigningKey },
  ): Promise<void> {
    for (const { kid, to } of steps) await this.store.change(transaction, kid, to);
    const others = Array.from({ length: Math.max(0, make - 1) }, () => generateSigningKey());
    const made = make > 0 ? [spare, ...(await Promise.all(others))] : [];
    for (const key of made) await this.store.insert(transaction, 'next', key);
    // A retired key that goes when its time has come is no news.
    if (steps.some(({ to }) => to === 'active')) {
      const entries = steps.flatMap(({ kid, to }) => {
        const action = AUDITED[to];
        return action ? [{ action, actor, subject: kid }] : [];
      });
      await this.audit.record(transaction, ...entries);
    }
  }
}

function timesOf({ kid, state, createdAt, activatedAt, retiredAt }: KeyRow): KeyTimes {
  return {
    kid,
    state,
    createdAt: createdAt.getTime(),
    activatedAt: activatedAt?.getTime(),
    retiredAt: retiredAt?.getTime(),
  };
}

function isEmpty({ steps, make }: RotationPlan): boolean {
  return steps.length === 0 && make === 0;
}

function notReady(wait: number): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'key_not_ready',
    detail:
      'The next key was published too recently: verifiers may not know it yet. Nothing was changed.',
    retryAfter: Math.ceil(wait / 1000),
  });
}
