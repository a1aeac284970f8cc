import {
  readConfig,
  refusePlainHttp,
  resourceServerVariables,
  serviceVariables,
} from '@signet/http';
import { z } from 'zod';

const address = z.url({ protocol: /^https?$/ });

const variables = z.object({
  ...serviceVariables,
  ...resourceServerVariables,
  PORT: serviceVariables.PORT.default(3001),
  /** Where prices come from, and where stock is reserved. */
  SIGNET_INVENTORY_URL: address.default('http://127.0.0.1:3003'),
  SIGNET_PAYMENTS_URL: address.default('http://127.0.0.1:3002'),
  /** Where our own tokens come from; the issuer's `/oauth/token` by default. */
  SIGNET_TOKEN_URL: address.optional(),
  SIGNET_ORDERS_CLIENT_ID: z.string().min(1).default('orders'),
  SIGNET_ORDERS_CLIENT_SECRET: z.string().min(16, 'expected at least 16 characters'),
  /** A call to another service that takes longer counts as unanswered. */
  SIGNET_SERVICE_TIMEOUT_MS: z.coerce.number().int().min(100).max(60_000).default(10_000),
  /** Checkouts that one replica works on at once. */
  SIGNET_CHECKOUT_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
  /** How long a step of the checkout is tried before a human has to look. */
  SIGNET_CHECKOUT_PATIENCE_SECONDS: z.coerce.number().min(1).default(900),
  /** How often a checkout that stopped because nobody answered is tried again. */
  SIGNET_CHECKOUT_RETRY_SECONDS: z.coerce.number().min(1).max(86_400).default(900),
  /** Orders that one customer may have whose checkout is not over. */
  SIGNET_CHECKOUT_OPEN_PER_CUSTOMER: z.coerce.number().int().min(1).max(10_000).default(20),
  /** Customers that one replica tells of their orders as server-sent events at once. */
  SIGNET_ORDER_STREAMS: z.coerce.number().int().min(1).max(100_000).default(1_000),
  /** A checkout that was due this long ago is given to another worker. */
  SIGNET_CHECKOUT_STUCK_SECONDS: z.coerce.number().min(1).default(45),
  /** How often payments is asked what became of refunds. */
  SIGNET_REFUNDS_EVERY_SECONDS: z.coerce.number().min(1).max(3600).default(10),
});

/** Our secret goes to auth, our tokens and the customers' means of payment to the others. */
const schema = variables
  .superRefine(refusePlainHttp('SIGNET_INVENTORY_URL', 'SIGNET_PAYMENTS_URL', 'SIGNET_TOKEN_URL'))
  .superRefine((config, context) => {
    if (config.SIGNET_TOKEN_URL === undefined) refusePlainHttp('SIGNET_ISSUER')(config, context);
  });

export type OrdersConfig = z.infer<typeof schema>;

export function ordersConfig(environment?: NodeJS.ProcessEnv): OrdersConfig {
  return readConfig(schema, environment);
}
