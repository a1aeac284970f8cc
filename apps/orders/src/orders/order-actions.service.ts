import { HttpStatus, Injectable, Logger } from '@nestjs/common';
import type { Actor, Transaction } from '@signet/database';
import { assertMatches, notFound, Problem } from '@signet/http';
import type { RepresentedUser, VersionList } from '@signet/http';
import { PaymentsClient } from '../checkout/payments.client.js';
import { isRefundFailed, redirected, resumed, settled } from '../checkout/saga-outcomes.js';
import { SagaStore } from '../checkout/saga-store.js';
import type { SagaRow } from '../checkout/saga-store.js';
import { OrderChanges } from './order-changes.js';
import type { OrderRow } from './order-changes.js';
import {
  goodsAreGone,
  invalid,
  notCancellable,
  notHalted,
  nothingPaid,
  notRefundable,
  notSettleable,
  paidBack,
  paymentsUnavailable,
  REFUNDABLE,
} from './order-refusals.js';
import { canBecome } from './order-states.js';
import type { OrderStatus } from './order-states.js';
import { versionOf } from './order-version.js';
import type { AdminOrder, ResumedOrders } from './order.schema.js';
import { OrdersService } from './orders.service.js';

/** In one transaction, which keeps these orders from everybody else. */
const RESUMED_AT_ONCE = 100;

/** Who wants something of an order, and of which. */
export interface OrderRequest {
  id: string;
  actor: Actor;
  /** For whom the other services are asked, if they have to be. */
  user: RepresentedUser;
  /** Whose it must be; anyone's when absent. */
  customerId?: string;
  ifMatch?: VersionList | undefined;
}

interface Locked {
  order: OrderRow;
  saga: SagaRow | undefined;
}

/**
 * What people do to orders. Each locks the order first, so that of two who want different things, or
 * of a person and the checkout, exactly one gets it.
 *
 * All throw {Problem} 404 when there is no such order or it is someone else's, 409
 * `invalid_transition` when its state does not allow it, 409 `order_busy` while the services are still
 * asked for what somebody wanted before, and 412 when it is not in a version that the caller accepts.
 */
@Injectable()
export class OrderActionsService {
  private readonly logger = new Logger(OrderActionsService.name);

  constructor(
    private readonly orders: OrdersService,
    private readonly changes: OrderChanges,
    private readonly sagas: SagaStore,
    private readonly payments: PaymentsClient,
  ) {}

  /**
   * The order is cancelled when this commits; money and stock are given back afterwards, for certain.
   *
   * @param from the states that the caller may cancel from
   */
  async cancel(
    transaction: Transaction,
    request: OrderRequest,
    from: readonly OrderStatus[],
    reason: string,
  ): Promise<AdminOrder> {
    const { order, saga } = await this.lock(transaction, request);
    if (!from.includes(order.status)) throw notCancellable(order, from);
    if (order.status === 'confirmed') assertIdle(saga);
    if (saga?.state.stock === 'shipped') throw goodsAreGone(order);
    const { actor, user } = request;
    const change = { status: 'cancelled', reason, actor, action: 'order.cancelled' } as const;
    await this.changes.apply(transaction, order, change);
    if (saga) {
      const state = redirected(saga.state, 'cancelled', reason, Date.now());
      await this.sagas.redirect(transaction, saga, state, user);
    }
    return this.orders.read(order.id, undefined, transaction);
  }

  /**
   * Goods are not sent when their price went back, which payments may know before orders has heard of it.
   *
   * @throws {Problem} 409 `payment_refunded`; 503 `payments_unavailable`
   */
  async assertPaid({ id, user }: OrderRequest): Promise<void> {
    const { paymentId, money } = (await this.sagas.read(id))?.state ?? {};
    if (!paymentId || money !== 'captured') return;
    if (await this.isPaidBack(paymentId, user)) throw paidBack();
  }

  async ship(transaction: Transaction, request: OrderRequest): Promise<AdminOrder> {
    const { order, saga } = await this.lock(transaction, request);
    if (!canBecome(order.status, 'shipped')) throw invalid(order.status, 'shipped');
    assertIdle(saga);
    await this.changes.apply(transaction, order, {
      ...{ status: 'shipped', reason: null, actor: request.actor, action: 'order.shipped' },
    });
    if (saga) await this.sagas.rest(transaction, saga, { ...saga.state, stock: 'shipped' });
    return this.orders.read(order.id, undefined, transaction);
  }

  /** Pays everything back. The order is `refunded` when the money is, and not before. */
  async refund(
    transaction: Transaction,
    request: OrderRequest,
    reason: string,
  ): Promise<AdminOrder> {
    const { order, saga } = await this.lock(transaction, request);
    if (!REFUNDABLE.includes(order.status)) throw notRefundable(order);
    assertIdle(saga);
    if (!saga) throw nothingPaid();
    await this.changes.apply(transaction, order, {
      ...{ status: order.status, reason: 'a refund is on its way', actor: request.actor },
      action: 'order.refund_requested',
    });
    const state = redirected(saga.state, 'refunded', reason, Date.now());
    await this.sagas.redirect(transaction, saga, state, request.user);
    return this.orders.read(order.id, undefined, transaction);
  }

  /** Lets the checkout of an order that needed attention go on from where it stopped. */
  async resume(transaction: Transaction, request: OrderRequest): Promise<AdminOrder> {
    const { order, saga } = await this.lock(transaction, request);
    if (order.status !== 'needs_attention' || saga?.state.halted == null) throw notHalted(order);
    await this.changes.apply(transaction, order, {
      ...{ status: order.status, reason: 'resumed by an administrator', actor: request.actor },
      action: 'order.resumed',
    });
    await this.sagas.redirect(transaction, saga, resumed(saga.state, Date.now()), request.user);
    return this.orders.read(order.id, undefined, transaction);
  }

  /** As `resume`, for orders that have stopped for one reason; the oldest first. */
  async resumeAll(
    transaction: Transaction,
    { reason, ...by }: Pick<OrderRequest, 'actor' | 'user'> & { reason: string },
  ): Promise<ResumedOrders> {
    const ids = await this.orders.needingAttention(transaction, reason, RESUMED_AT_ONCE);
    const refused: ResumedOrders['refused'] = [];
    for (const id of ids) {
      try {
        await this.resume(transaction, { id, ...by });
      } catch (error) {
        // Such an order was left as it was. Whatever else goes wrong undoes all of it.
        if (!(error instanceof Problem && error.code === 'invalid_transition')) throw error;
        refused.push({ id, detail: error.message });
      }
    }
    return { resumed: ids.length - refused.length, refused };
  }

  /**
   * The money was given back by other means than the payment, which could not: the order goes on as if it
   * had been refunded.
   */
  async settle(
    transaction: Transaction,
    request: OrderRequest,
    reason: string,
  ): Promise<AdminOrder> {
    const { order, saga } = await this.lock(transaction, request);
    if (order.status !== 'needs_attention' || !saga || !isRefundFailed(saga.state)) {
      throw notSettleable(order);
    }
    await this.changes.apply(transaction, order, {
      ...{ status: order.status, reason: `settled: ${reason}`, actor: request.actor },
      action: 'order.settled',
    });
    await this.sagas.redirect(transaction, saga, settled(saga.state, Date.now()), request.user);
    return this.orders.read(order.id, undefined, transaction);
  }

  private async isPaidBack(paymentId: string, user: RepresentedUser): Promise<boolean> {
    try {
      return await this.payments.isPaidBack(paymentId, user);
    } catch (error) {
      this.logger.warn(`Payment ${paymentId} cannot be asked for: ${String(error)}`);
      throw paymentsUnavailable();
    }
  }

  private async lock(
    transaction: Transaction,
    { id, customerId, ifMatch }: OrderRequest,
  ): Promise<Locked> {
    const order = await this.changes.lock(transaction, id, customerId);
    if (!order) throw notFound('order');
    const saga = await this.sagas.lock(transaction, id);
    assertMatches(ifMatch, versionOf(order.version, saga?.state.paymentId ?? null));
    return { order, saga };
  }
}

/** @throws {Problem} 409 while the saga has something to do */
function assertIdle(saga: SagaRow | undefined): void {
  if (!saga?.dueAt) return;
  throw new Problem({
    status: HttpStatus.CONFLICT,
    code: 'order_busy',
    detail: 'What somebody wanted of the order before is still being done. Try again shortly.',
    retryAfter: 2,
  });
}
