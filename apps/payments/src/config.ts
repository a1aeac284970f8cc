import {
  readConfig,
  refusePlainHttp,
  resourceServerVariables,
  serviceVariables,
} from '@signet/http';
import { z } from 'zod';

/** One secret, or two while they rotate; a blank one would let everybody sign. */
const webhookSecrets = z
  .string()
  .transform((text) => text.split(',').map((secret) => secret.trim()))
  .pipe(
    z
      .array(z.string().min(16, 'expected secrets of at least 16 characters, separated by commas'))
      .max(2, 'expected one secret, or two while they rotate'),
  );

const milliseconds = z.coerce.number().int();

/** Of a call to the provider, in milliseconds: a caller of ours does not wait for longer. */
const LATEST_DEADLINE = 60_000;

const schema = z
  .object({
    ...serviceVariables,
    ...resourceServerVariables,
    PORT: serviceVariables.PORT.default(3002),
    /** Who takes the money. To be said, so that nobody ships goods against the sandbox by accident. */
    SIGNET_PAYMENT_PROVIDER: z.enum(['sandbox', 'stripe']),
    /** A call to the provider that takes longer counts as one whose outcome is unknown. */
    SIGNET_PROVIDER_DEADLINE_MS: milliseconds.min(50).max(LATEST_DEADLINE).default(5_000),
    /** How long an outcome may be unknown before the provider is asked, and between two questions. */
    SIGNET_RECONCILE_AFTER_MS: milliseconds.min(100).default(60_000),
    SIGNET_SANDBOX_URL: z.url({ protocol: /^https?$/ }).default('http://127.0.0.1:3010'),
    SIGNET_SANDBOX_API_KEY: z.string().min(16).optional(),
    SIGNET_SANDBOX_WEBHOOK_SECRETS: webhookSecrets.optional(),
    SIGNET_STRIPE_API_KEY: z.string().min(16).optional(),
    SIGNET_STRIPE_WEBHOOK_SECRETS: webhookSecrets.optional(),
    /** Another address for Stripe's API: an emulation of it, or a proxy on the way. */
    SIGNET_STRIPE_URL: z.url({ protocol: /^https?$/ }).optional(),
  })
  .superRefine(refusePlainHttp('SIGNET_SANDBOX_URL', 'SIGNET_STRIPE_URL'))
  .superRefine((config, context) => {
    const name = config.SIGNET_PAYMENT_PROVIDER === 'stripe' ? 'STRIPE' : 'SANDBOX';
    for (const variable of [`SIGNET_${name}_API_KEY`, `SIGNET_${name}_WEBHOOK_SECRETS`] as const) {
      if (config[variable] !== undefined) continue;
      const message = `needed with SIGNET_PAYMENT_PROVIDER=${config.SIGNET_PAYMENT_PROVIDER}`;
      context.addIssue({ code: 'custom', path: [variable], message });
    }
    const deadline = config.SIGNET_PROVIDER_DEADLINE_MS;
    if (deadline <= LATEST_DEADLINE && config.SIGNET_RECONCILE_AFTER_MS <= deadline) {
      const message = 'expected more than SIGNET_PROVIDER_DEADLINE_MS';
      context.addIssue({ code: 'custom', path: ['SIGNET_RECONCILE_AFTER_MS'], message });
    }
  });

export type PaymentsConfig = z.infer<typeof schema>;

export function paymentsConfig(environment?: NodeJS.ProcessEnv): PaymentsConfig {
  return readConfig(schema, environment);
}
