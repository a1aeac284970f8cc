import { readConfig, resourceServerVariables, serviceVariables } from '@signet/http';
import { z } from 'zod';

const schema = z.object({
  ...serviceVariables,
  ...resourceServerVariables,
  PORT: serviceVariables.PORT.default(3003),
  /** How often holds that are over are looked for. They are void before they are found. */
  SIGNET_RESERVATION_SWEEP_SECONDS: z.coerce.number().int().min(1).max(3600).default(5),
});

export type InventoryConfig = z.infer<typeof schema>;

export const INVENTORY_CONFIG = Symbol('INVENTORY_CONFIG');

export function inventoryConfig(environment?: NodeJS.ProcessEnv): InventoryConfig {
  return readConfig(schema, environment);
}
