/** What a payment looks like at the provider. */
export interface ProviderPayment {
  /** The provider's id. */
  id: string;
  /** `processing`: the provider itself does not know yet. */
  status: 'processing' | 'authorized' | 'captured' | 'canceled' | 'declined';
  /** Minor units; 0 before the capture. */
  capturedAmount: number;
  /** The code of a decline. */
  reason?: string | undefined;
}

export interface ProviderRefund {
  id: string;
  status: 'pending' | 'succeeded' | 'failed';
  /** The code of a failure. */
  reason?: string | undefined;
}

/** A call that moves money. `key` was stored before and makes it happen once, however often it is sent. */
export interface ProviderCall {
  /** The provider's idempotency key. */
  key: string;
  /** When the key was made: a provider may forget it after a while. */
  madeAt: Date;
  /** Our id of the payment, which the provider gives back. */
  paymentId: string;
}

export interface Authorization extends ProviderCall {
  /** Minor units. */
  amount: number;
  currency: string;
  /** The provider's token of the means of payment. */
  method: string;
}

/** A call about a payment that the provider knows already. */
export interface FollowUp extends ProviderCall {
  /** The provider's id of the payment. */
  payment: string;
}

export interface PartialFollowUp extends FollowUp {
  /** Minor units. */
  amount: number;
}

export interface RefundCall extends PartialFollowUp {
  /** Our id of the refund, which the provider gives back. */
  refundId: string;
}

/** What a webhook says of a refund. */
export interface RefundNews extends ProviderRefund {
  /** Minor units. */
  amount: number;
  /** Our id of it; absent when it was made at the provider. */
  refundId?: string | undefined;
}

/** What a webhook says, once its signature has been verified. */
export interface ProviderEvent {
  /** The same when it is sent again. */
  id: string;
  type: string;
  /** Our id of the payment, where the provider says it. */
  paymentId?: string | undefined;
  /** The provider's id of the payment. */
  payment?: string | undefined;
  news?: ProviderPayment | undefined;
  refund?: RefundNews | undefined;
}

/**
 * Where the money is. Implementations answer with what they know for certain; whatever else goes
 * wrong (no answer in time, a broken connection, a 5xx) they throw, and the outcome counts as unknown.
 */
export interface PaymentProvider {
  /** Its name in routes and rows. */
  readonly name: string;
  /** How long the provider remembers an idempotency key, in milliseconds. */
  readonly remembersKeysFor: number;
  /** How long a call takes at most until it throws, in milliseconds. */
  readonly longestCall: number;
  authorize(call: Authorization): Promise<ProviderPayment>;
  /** @throws {ProviderRefusal} */
  capture(call: PartialFollowUp): Promise<ProviderPayment>;
  /** @throws {ProviderRefusal} */
  void(call: FollowUp): Promise<ProviderPayment>;
  /** @throws {ProviderRefusal} */
  refund(call: RefundCall): Promise<ProviderRefund>;
  /**
   * The payment as it is now, whether or not our call got through.
   *
   * @param payment the provider's id, when it is known
   * @returns undefined when the provider knows nothing of it
   */
  findPayment(
    call: ProviderCall,
    payment: string | undefined,
  ): Promise<ProviderPayment | undefined>;
  /** @returns undefined when the provider knows nothing of it */
  findRefund(call: RefundCall): Promise<ProviderRefund | undefined>;
  /**
   * Reads a webhook.
   *
   * @returns undefined for an event that is about nothing of ours
   * @throws {ForgedWebhook} when it is not signed with one of our secrets, now
   * @throws {UnreadableWebhook} when it is signed, and not what an event looks like
   */
  readEvent(body: Buffer, headers: WebhookHeaders): ProviderEvent | undefined;
}

export type WebhookHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The provider has understood and says no: the call has not taken effect, and will not. */
export class ProviderRefusal extends Error {
  override readonly name = 'ProviderRefusal';

  constructor(readonly code: string) {
    super(`The payment provider refused: ${code}`);
  }
}

export class ForgedWebhook extends Error {
  override readonly name = 'ForgedWebhook';
}

export class UnreadableWebhook extends Error {
  override readonly name = 'UnreadableWebhook';
}

/** What the provider says cannot be: it, or what is known here, has to be looked at by a person. */
export class ContradictoryNews extends Error {
  override readonly name = 'ContradictoryNews';
}

/** A payment that the provider has declined without keeping it. */
export function declined(reason: string): ProviderPayment {
  return { id: '', status: 'declined', capturedAmount: 0, reason };
}

/** Injects the `PaymentProvider` that the configuration names. */
export const PAYMENT_PROVIDER = Symbol('PAYMENT_PROVIDER');
