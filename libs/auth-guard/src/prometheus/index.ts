import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { GuardMetrics } from '../nest/guard-metrics.js';
import type { Metric, Sample } from './metric.js';
import { REVOCATION_METRICS } from './revocation-metrics.js';

const METRICS: readonly Metric[] = [
  {
    type: 'counter',
    name: 'auth_guard_calls_total',
    help: 'Calls that the guard decided about, by kind, outcome and the code of a refusal.',
    labels: ['kind', 'outcome', 'code'],
    read: ({ calls }) =>
      calls.map(({ kind, outcome, code = '', count }) => [{ kind, outcome, code }, count]),
  },
  {
    type: 'counter',
    name: 'auth_guard_tokens_total',
    help: 'Good tokens, by issuer and by how that was known: from memory, or by their signature.',
    labels: ['issuer', 'by'],
    read: ({ issuers }) =>
      issuers.flatMap(({ issuer, tokens }): Sample[] => [
        [{ issuer, by: 'memory' }, tokens.remembered],
        [{ issuer, by: 'signature' }, tokens.verified],
      ]),
  },
  {
    type: 'counter',
    name: 'auth_guard_key_fetches_total',
    help: 'Fetches of a published key set, by issuer and outcome.',
    labels: ['issuer', 'outcome'],
    read: ({ issuers }) =>
      issuers.flatMap(({ issuer, keys }): Sample[] =>
        keys
          ? [
              [{ issuer, outcome: 'succeeded' }, keys.fetches.succeeded],
              [{ issuer, outcome: 'failed' }, keys.fetches.failed],
            ]
          : [],
      ),
  },
  {
    type: 'gauge',
    name: 'auth_guard_keys',
    help: 'Keys that verify tokens now, by issuer.',
    labels: ['issuer'],
    read: ({ issuers }) =>
      issuers.flatMap(({ issuer, keys }): Sample[] => (keys ? [[{ issuer }, keys.count]] : [])),
  },
  {
    type: 'gauge',
    name: 'auth_guard_keys_age_seconds',
    help: 'Time since the key set in use was published, as far as is known, by issuer.',
    labels: ['issuer'],
    read: ({ issuers }) =>
      issuers.flatMap(({ issuer, keys }): Sample[] =>
        keys?.age === undefined ? [] : [[{ issuer }, keys.age]],
      ),
  },
  {
    type: 'gauge',
    name: 'auth_guard_connections',
    help: 'Open sockets whose token is watched.',
    labels: [],
    read: ({ connections }) => [[{}, connections]],
  },
  {
    type: 'gauge',
    name: 'auth_guard_streams',
    help: 'Open responses, such as of server-sent events, whose token is watched.',
    labels: [],
    read: ({ streams }) => [[{}, streams]],
  },
  ...REVOCATION_METRICS,
];

/**
 * Adds the guard's numbers to a registry of prom-client, read at each scrape.
 *
 * @example
 * exposeGuardMetrics(app.get(GuardMetrics), registry);
 */
export function exposeGuardMetrics(metrics: Pick<GuardMetrics, 'read'>, registry: Registry): void {
  for (const { type, name, help, labels, read } of METRICS) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    const instrument =
      type === 'counter'
        ? new Counter({ ...options, collect: () => collect() })
        : new Gauge({ ...options, collect: () => collect() });
    const collect = () => {
      instrument.reset();
      for (const [values, value] of read(metrics.read())) instrument.inc(values, value);
    };
  }
}
