import { startService } from '@signet/http';
import { inventoryConfig } from './config.js';
import { inventoryService } from './inventory-service.module.js';

await startService(() => inventoryService(inventoryConfig()));
