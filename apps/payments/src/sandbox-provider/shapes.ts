const ID = { type: 'string', minLength: 1, maxLength: 200 };
const AMOUNT = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };

export interface PartOfIt {
  /** All of it when absent. */
  amount?: number;
}

export interface NewRefund {
  reference: string;
  amount: number;
}

export const newPayment = {
  schema: {
    body: {
      type: 'object',
      required: ['reference', 'amount', 'currency', 'method'],
      properties: {
        ...{ reference: ID, amount: AMOUNT, method: ID },
        currency: { type: 'string', pattern: '^[A-Z]{3}$' },
      },
    },
  },
};

export const partOfIt = {
  schema: { body: { type: ['object', 'null'], properties: { amount: AMOUNT } } },
};

export const newRefund = {
  schema: {
    body: {
      type: 'object',
      required: ['reference', 'amount'],
      properties: { reference: ID, amount: AMOUNT },
    },
  },
};
