import { startService } from '@signet/http';
import { ordersConfig } from './config.js';
import { ordersService } from './orders-service.module.js';

await startService(() => ordersService(ordersConfig()));
