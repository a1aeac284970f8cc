import { HttpStatus, Injectable } from '@nestjs/common';
import { idempotencyKeys, IdempotencyService, InjectDatabase } from '@signet/database';
import type { Database, IdempotentAnswer, IdempotentRequest, Transaction } from '@signet/database';
import { Problem } from '@signet/http';
import { and, eq, isNull, sql } from 'drizzle-orm';

/** A request that has an effect outside the database, between two transactions. */
export interface OutwardEffect<Begun> {
  /** Writes down what is going to be asked. What it throws leaves nothing behind. */
  begin: (transaction: Transaction) => Promise<Begun>;
  /** Asks; must not throw for an outcome that is unknown. */
  perform: (begun: Begun) => Promise<void>;
  /** The answer, as things stand then. */
  answer: () => Promise<unknown>;
}

/** After this an answer that has not been given is not going to be: its process has died. */
const MARGIN_SECONDS = 5;

/**
 * Idempotency for what cannot happen inside a transaction. The key is taken together with what is
 * going to be asked, and holds no answer yet; whoever is first to have one stores it, and from then on
 * it is the only answer there is, whichever process gives it.
 */
@Injectable()
export class OutwardEffects {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * @param within seconds that `perform` may take
   * @throws {Problem} 409 `idempotency_key_in_use` while the first request may still be running
   */
  async run<Begun>(
    request: IdempotentRequest,
    within: number,
    { begin, perform, answer }: OutwardEffect<Begun>,
  ): Promise<IdempotentAnswer> {
    let begun: { it: Begun } | undefined;
    const taken = await this.idempotency.run(request, async (transaction) => {
      begun = { it: await begin(transaction) };
      return null;
    });
    if (taken.body !== null) return taken;
    if (begun) await perform(begun.it);
    else if (await this.mayStillRun(request, within)) throw stillRunning();
    const body = await this.storeAnswer(request, await answer());
    return { status: taken.status, body, replayed: begun === undefined };
  }

  private async mayStillRun(request: IdempotentRequest, within: number): Promise<boolean> {
    const seconds = within + MARGIN_SECONDS;
    const [row] = await this.database
      .select({
        young: sql<boolean>`${idempotencyKeys.createdAt} > now() - make_interval(secs => ${seconds})`,
      })
      .from(idempotencyKeys)
      .where(recordOf(request));
    return row?.young ?? false;
  }

  /** @returns the answer that counts, which is somebody else's when that was stored first */
  private async storeAnswer(request: IdempotentRequest, body: unknown): Promise<unknown> {
    const [mine] = await this.database
      .update(idempotencyKeys)
      .set({ body })
      .where(and(recordOf(request), isNull(idempotencyKeys.body)))
      .returning({ body: idempotencyKeys.body });
    if (mine) return mine.body;
    const [first] = await this.database
      .select({ body: idempotencyKeys.body })
      .from(idempotencyKeys)
      .where(recordOf(request));
    return first ? first.body : body;
  }
}

function recordOf({ scope, key }: IdempotentRequest) {
  return and(eq(idempotencyKeys.scope, scope), eq(idempotencyKeys.key, key));
}

function stillRunning(): Problem {
  return new Problem({
    status: HttpStatus.CONFLICT,
    code: 'idempotency_key_in_use',
    detail: 'The first request with this Idempotency-Key is still running. Ask again shortly.',
    retryAfter: 1,
  });
}
