import { startService } from '@signet/http';
import { paymentsConfig } from './config.js';
import { paymentsService } from './payments-service.module.js';

await startService(() => paymentsService(paymentsConfig()));
