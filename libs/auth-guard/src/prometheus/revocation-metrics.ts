import type { RevocationFollowerStatus } from '../revocation/follower.js';
import type { Metric, Sample } from './metric.js';

/** How each issuer's revocation feed is followed. Nothing is shown without one. */
export const REVOCATION_METRICS: readonly Metric[] = [
  gauge(
    'auth_guard_revocations_age_seconds',
    'Time since the last moment of which every revocation is known; +Inf when there is none.',
    ({ age }) => age,
  ),
  gauge(
    'auth_guard_revocations_connected',
    'Whether the revocation feed is being listened to.',
    ({ connected }) => Number(connected),
  ),
  gauge('auth_guard_revocations', 'Revocations in force.', ({ entries }) => entries),
  gauge(
    'auth_guard_revocations_seq',
    'How many revocations of the feed have been followed.',
    ({ seq }) => seq ?? 0,
  ),
  counter(
    'auth_guard_revocation_messages_total',
    'Messages of the feed that were believed, by kind.',
    'kind',
    ({ events, snapshots, heartbeats }) => Object.entries({ events, snapshots, heartbeats }),
  ),
  counter(
    'auth_guard_revocation_messages_refused_total',
    'Messages of the feed that were not believed, by reason.',
    'reason',
    ({ refused }) => Object.entries(refused),
  ),
  counter(
    'auth_guard_revocation_connections_total',
    'Times that a connection to the feed was begun, and that the feed itself went back.',
    'event',
    ({ connections, rewinds }) => Object.entries({ begun: connections, rewound: rewinds }),
  ),
];

function gauge(
  name: string,
  help: string,
  value: (status: RevocationFollowerStatus) => number,
): Metric {
  const read: Metric['read'] = ({ issuers }) =>
    issuers.flatMap(({ issuer, revocation }): Sample[] =>
      revocation ? [[{ issuer }, value(revocation)]] : [],
    );
  return { type: 'gauge', name, help, labels: ['issuer'], read };
}

function counter(
  name: string,
  help: string,
  label: string,
  values: (status: RevocationFollowerStatus) => [string, number][],
): Metric {
  const read: Metric['read'] = ({ issuers }) =>
    issuers.flatMap(({ issuer, revocation }) =>
      revocation
        ? values(revocation).map(([value, count]): Sample => [{ issuer, [label]: value }, count])
        : [],
    );
  return { type: 'counter', name, help, labels: ['issuer', label], read };
}
