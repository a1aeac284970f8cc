import type { Outcome, PaymentNews } from '../saga-outcomes.js';
import type { Call } from '../saga-state.js';

type Reservation = 'none' | 'held' | 'over' | 'committed' | 'returned';

/**
 * Inventory, payments and the provider as their contracts have them, in as few lines as possible. They
 * throw when they are asked for what nobody may ask.
 */
export class SimulatedServices {
  private reservation: Reservation = 'none';
  private payment: PaymentNews['status'] | undefined;
  private isPending = false;
  private pendingRefund = 0;
  /** Of refunds that somebody else asks for: open ones, and what they have given back. */
  private pendingElsewhere = 0;
  private givenElsewhere = 0;
  private captured = 0;
  private refunded = 0;
  private drawn = 0;
  /** What was answered under each Idempotency-Key. */
  private readonly answers = new Map<string, Outcome>();

  /** @param luck numbers from 0 to 99, used in turn; low ones are bad luck, which runs out */
  constructor(
    private readonly luck: readonly number[],
    private readonly total: number,
  ) {}

  call(call: Call, round: number, now: number): Outcome {
    if (!['authorize', 'capture', 'void', 'refund'].includes(call)) return this.answer(call, now);
    const key = `${call} ${round}`;
    const answer = this.answers.get(key) ?? this.answer(call, now);
    // As an error is not kept under its key.
    if (answer.kind === 'payment' || answer.kind === 'refund') this.answers.set(key, answer);
    return answer;
  }

  lapse(): void {
    if (this.reservation === 'held') this.reservation = 'over';
  }

  /** The provider says how what was open has ended. */
  settle(): void {
    if (this.isPending) this.decide();
    this.payBack();
    // Those that fail let their share be refunded again.
    const share = this.pendingElsewhere;
    this.pendingElsewhere = 0;
    if (share > 0 && !this.unlucky(40)) {
      this.refunded += share;
      this.givenElsewhere += share;
    }
  }

  /** Whether there is money that can be given back. */
  get isPaid(): boolean {
    return this.payment === 'succeeded';
  }

  /** An administrator refunds a part of what is left, at payments: one divided by `divisor`. */
  refundElsewhere(divisor: number): void {
    if (this.isPaid) this.pendingElsewhere += Math.floor(this.left() / divisor);
  }

  balance() {
    return {
      taken: this.captured - this.refunded,
      givenElsewhere: this.givenElsewhere,
      held: this.payment === 'requires_capture' || this.isPending ? this.total : 0,
      sold: this.reservation === 'committed' ? 1 : 0,
      reserved: this.reservation === 'held' ? 1 : 0,
    };
  }

  news(): PaymentNews {
    return {
      id: 'payment',
      status: this.payment ?? 'requires_confirmation',
      isRefunded: this.captured > 0 && this.refunded === this.captured,
      isRefunding: this.pendingRefund + this.pendingElsewhere > 0,
      refundFailure: undefined,
      reason: undefined,
    };
  }

  private answer(call: Call, now: number): Outcome {
    switch (call) {
      case 'reserve':
        return this.reserve(now);
      case 'extend':
        return this.reservation === 'held' ? this.heldFrom(now) : { kind: 'hold_over' };
      case 'commit':
        return this.commit();
      case 'release':
        if (this.reservation === 'committed') return { kind: 'committed' };
        if (this.reservation !== 'returned') this.reservation = 'over';
        return { kind: 'released' };
      case 'return':
        if (this.reservation === 'committed') this.reservation = 'returned';
        if (this.reservation !== 'returned') throw new Error('returned what was not sold');
        return { kind: 'returned' };
      case 'refund':
        return this.refund();
      default:
        return this.pay(call);
    }
  }

  private reserve(now: number): Outcome {
    if (this.reservation === 'held') return this.heldFrom(now);
    if (this.reservation !== 'none') return { kind: 'hold_over' };
    if (this.unlucky(15)) return { kind: 'stock_refused', reason: 'sold out' };
    this.reservation = 'held';
    return this.heldFrom(now);
  }

  private commit(): Outcome {
    if (this.reservation === 'held') this.reservation = 'committed';
    return { kind: this.reservation === 'committed' ? 'committed' : 'hold_over' };
  }

  private heldFrom(now: number): Outcome {
    return { kind: 'held', until: now + 900_000 };
  }

  private pay(call: Call): Outcome {
    if (call === 'authorize') this.payment ??= this.begin();
    if (call === 'capture' && !this.isPending) {
      if (this.payment !== 'requires_capture' && this.payment !== 'succeeded') {
        return { kind: 'payment_elsewhere' };
      }
      // The provider may refuse, and then nothing has changed.
      if (!this.unlucky(10)) this.take();
    }
    if (call === 'void') {
      if (this.payment === 'succeeded' || this.isPending) return { kind: 'payment_elsewhere' };
      if (!this.unlucky(10)) this.payment = 'canceled';
    }
    return { kind: 'payment', payment: this.news() };
  }

  private begin(): PaymentNews['status'] {
    if (this.unlucky(10)) return 'failed';
    this.isPending = this.unlucky(30);
    return this.isPending ? 'processing' : 'requires_capture';
  }

  private decide(): void {
    this.isPending = false;
    this.payment = this.unlucky(20) ? 'failed' : 'requires_capture';
  }

  private take(): void {
    if (this.payment === 'requires_capture') this.captured += this.total;
    if (this.captured > this.total) throw new Error('captured twice');
    this.payment = 'succeeded';
  }

  private refund(): Outcome {
    if (this.payment !== 'succeeded') throw new Error('refunded what was not captured');
    if (this.left() === 0) return { kind: 'payment_elsewhere' };
    if (this.unlucky(10)) return { kind: 'refund', status: 'failed', reason: 'no' };
    this.pendingRefund = this.left();
    if (this.unlucky(30)) return { kind: 'refund', status: 'pending', reason: undefined };
    this.payBack();
    return { kind: 'refund', status: 'succeeded', reason: undefined };
  }

  private payBack(): void {
    this.refunded += this.pendingRefund;
    this.pendingRefund = 0;
    if (this.refunded > this.captured) throw new Error('refunded more than was captured');
  }

  private left(): number {
    return this.captured - this.refunded - this.pendingRefund - this.pendingElsewhere;
  }

  private unlucky(percent: number): boolean {
    const number = this.luck[this.drawn++] ?? 99;
    return number < percent;
  }
}
