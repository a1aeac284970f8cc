import type { z } from 'zod';

/** For operators whose services talk http on a network that nobody else can read or write. */
const ALLOW_PLAIN_HTTP = 'SIGNET_ALLOW_PLAIN_HTTP';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * For `superRefine` of a service's configuration: what is sent to these addresses is a secret, such as
 * a client's secret, an API key or a token, and http to another machine shows it to everybody between.
 *
 * @param variables that hold a URL, or nothing
 */
export function refusePlainHttp(...variables: string[]) {
  return (config: Record<string, unknown>, context: z.RefinementCtx): void => {
    if (config[ALLOW_PLAIN_HTTP] === true) return;
    for (const variable of variables) {
      const value = config[variable];
      if (typeof value !== 'string' || !URL.canParse(value)) continue;
      const { protocol, hostname } = new URL(value);
      if (protocol !== 'http:' || LOOPBACK.has(hostname)) continue;
      const message = `expected https, or ${ALLOW_PLAIN_HTTP}=true where nobody else can read the network`;
      context.addIssue({ code: 'custom', path: [variable], message });
    }
  };
}
