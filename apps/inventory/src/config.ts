import { readConfig, resourceServerVariables, serviceVariables } from '@signet/http';
import { z } from 'zod';

const schema = z.object({
  ...serviceVariables,
  ...resourceServerVariables,
  PORT: serviceVariables.PORT.default(3003),
});

export type InventoryConfig = z.infer<typeof schema>;

export function inventoryConfig(environment?: NodeJS.ProcessEnv): InventoryConfig {
  return readConfig(schema, environment);
}
