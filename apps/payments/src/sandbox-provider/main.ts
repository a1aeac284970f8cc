import { sandboxConfig } from './config.js';
import { sandboxProvider } from './server.js';

try {
  const config = sandboxConfig();
  const app = sandboxProvider(config);
  const stop = (): void => void app.close().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  await app.listen({ port: config.port, host: config.host });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
