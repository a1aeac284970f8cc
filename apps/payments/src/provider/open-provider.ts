import type { PaymentsConfig } from '../config.js';
import type { PaymentProvider } from './payment-provider.js';
import { SandboxProvider } from './sandbox.js';

/** The provider that the configuration names. Stripe's SDK is large: it is loaded for Stripe alone. */
export async function openProvider(config: PaymentsConfig): Promise<PaymentProvider> {
  const deadline = config.SIGNET_PROVIDER_DEADLINE_MS;
  if (config.SIGNET_PAYMENT_PROVIDER === 'sandbox') {
    return new SandboxProvider({
      ...{ deadline, url: config.SIGNET_SANDBOX_URL },
      apiKey: config.SIGNET_SANDBOX_API_KEY ?? '',
      webhookSecrets: config.SIGNET_SANDBOX_WEBHOOK_SECRETS ?? [],
    });
  }
  const { StripeProvider } = await import('./stripe.js');
  return new StripeProvider({
    ...{ deadline, url: config.SIGNET_STRIPE_URL },
    apiKey: config.SIGNET_STRIPE_API_KEY ?? '',
    webhookSecrets: config.SIGNET_STRIPE_WEBHOOK_SECRETS ?? [],
  });
}
