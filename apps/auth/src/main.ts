import { startService } from '@signet/http';
import { authService } from './auth-service.module.js';
import { authConfig } from './config.js';

await startService(() => authService(authConfig()));
