import type { Answer, ReceivedCall } from './stand-in-services.js';

type Status = 'held' | 'committed' | 'released' | 'expired' | 'returned';

/** Inventory's internal routes. */
export class StandInReservations {
  readonly byOrder = new Map<string, Status>();
  /** Orders that can still be held. */
  left = 1_000;

  answer({ method }: ReceivedCall, orderId: string, action: string): Answer {
    const status = this.byOrder.get(orderId);
    if (method === 'PUT') return this.hold(orderId, status);
    if (method === 'DELETE') return this.release(orderId, status);
    if (status === undefined) return { status: 404, body: { code: 'not_found' } };
    if (action === 'extend') return status === 'held' ? shown(status) : refused(status);
    if (action === 'commit') return this.change(orderId, status, ['held'], 'committed');
    return this.change(orderId, status, ['committed'], 'returned');
  }

  /** Every hold ends. */
  expire(): void {
    for (const [id, status] of this.byOrder) if (status === 'held') this.free(id, 'expired');
  }

  private hold(orderId: string, status: Status | undefined): Answer {
    if (status === 'held') return shown(status);
    if (status !== undefined) return refused(status);
    if (this.left === 0) {
      const shortages = [{ sku: 'MUG', requested: 2, available: 0 }];
      return { status: 409, body: { code: 'insufficient_stock', shortages } };
    }
    this.left -= 1;
    this.byOrder.set(orderId, 'held');
    return shown('held');
  }

  private release(orderId: string, status: Status | undefined): Answer {
    if (status === 'committed') return { status: 409, body: { code: 'reservation_committed' } };
    if (status === 'held') this.free(orderId, 'released');
    else if (status === undefined) this.byOrder.set(orderId, 'released');
    return { status: 204 };
  }

  private change(orderId: string, status: Status, from: Status[], to: Status): Answer {
    if (status === to) return shown(status);
    if (!from.includes(status)) return refused(status);
    if (to === 'returned') this.left += 1;
    this.byOrder.set(orderId, to);
    return shown(to);
  }

  private free(orderId: string, to: Status): void {
    this.left += 1;
    this.byOrder.set(orderId, to);
  }
}

function shown(status: Status): Answer {
  const expiresAt = new Date(Date.now() + 900_000).toISOString();
  return { status: 200, body: { status, expiresAt } };
}

function refused(reservationStatus: Status): Answer {
  const code = reservationStatus === 'expired' ? 'reservation_expired' : 'reservation_closed';
  return { status: 409, body: { code, detail: `it is ${reservationStatus}`, reservationStatus } };
}
