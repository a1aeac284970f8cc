import { readConfig, resourceServerVariables, serviceVariables } from '@signet/http';
import { z } from 'zod';

const schema = z.object({
  ...serviceVariables,
  ...resourceServerVariables,
  PORT: serviceVariables.PORT.default(3001),
  /** Where prices come from. */
  SIGNET_INVENTORY_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3003'),
});

export type OrdersConfig = z.infer<typeof schema>;

export function ordersConfig(environment?: NodeJS.ProcessEnv): OrdersConfig {
  return readConfig(schema, environment);
}
