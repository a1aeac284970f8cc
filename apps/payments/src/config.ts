import { readConfig, resourceServerVariables, serviceVariables } from '@signet/http';
import { z } from 'zod';

const schema = z.object({
  ...serviceVariables,
  ...resourceServerVariables,
  PORT: serviceVariables.PORT.default(3002),
});

export type PaymentsConfig = z.infer<typeof schema>;

export function paymentsConfig(environment?: NodeJS.ProcessEnv): PaymentsConfig {
  return readConfig(schema, environment);
}
