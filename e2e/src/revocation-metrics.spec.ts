import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { answersOf, GUARDED_SERVICES, isRefused } from './system/guarded-routes.ts';
import { Client, world } from './system/world.ts';
import type { Service } from './system/world.ts';

const client = new Client(world());
const FEED = /^(?:signet_revocations|auth_guard_revocation)\w*/;

/** What a service shows of the feed, by name and labels as they are written. */
async function metricsOf(service: Service): Promise<Map<string, number>> {
  const { text } = await client.call(service, 'GET /metrics');
  const lines = text.split('\n').filter((line) => FEED.test(line));
  return new Map(
    lines.map((line) => {
      const [, name = '', value] = /^(.+) (\S+)$/.exec(line) ?? [];
      // All of them are of one issuer.
      return [name.replace(/\{issuer="[^"]*"\}|issuer="[^"]*",/, ''), Number(value)];
    }),
  );
}

async function logOutSomebody(): Promise<void> {
  const { access_token: token } = await client.register();
  await client.call('auth', 'POST /auth/logout', { token });
  while (!(await answersOf(client, token)).every(isRefused)) await sleep(10);
}

it('auth shows who follows its feed, how much is in it, and how late it is', async () => {
  const before = await metricsOf('auth');
  await logOutSomebody();
  const after = await metricsOf('auth');
  const grown = (name: string) => (after.get(name) ?? NaN) - (before.get(name) ?? NaN);
  expect(after.get('signet_revocations_followers')).toBeGreaterThanOrEqual(3);
  expect(after.get('signet_revocations_age_seconds')).toBeLessThan(10);
  expect(after.get('signet_revocations_entries')).toBeGreaterThanOrEqual(1);
  expect(grown('signet_revocations_seq')).toBeGreaterThanOrEqual(1);
  expect(grown('signet_revocations_lag_seconds_count')).toBeGreaterThanOrEqual(1);
  expect(after.get('signet_revocations_followers_dropped')).toBe(0);
});

it.each(GUARDED_SERVICES)(
  '%s shows how far it follows, and how old its knowledge is',
  async (name) => {
    const before = await metricsOf(name);
    await logOutSomebody();
    const after = await metricsOf(name);
    const grown = (metric: string) => (after.get(metric) ?? NaN) - (before.get(metric) ?? NaN);
    expect(after.get('auth_guard_revocations_connected')).toBe(1);
    expect(after.get('auth_guard_revocations_age_seconds')).toBeLessThan(10);
    expect(after.get('auth_guard_revocations')).toBeGreaterThanOrEqual(1);
    expect(grown('auth_guard_revocations_seq')).toBeGreaterThanOrEqual(1);
    expect(grown('auth_guard_revocation_messages_total{kind="events"}')).toBeGreaterThanOrEqual(1);
    const refused = [...after].filter(([metric]) => metric.includes('messages_refused_total'));
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.filter(([, count]) => count > 0)).toEqual([]);
  },
);

it('docs/revocation.md names all of them, and no other', async () => {
  const shown = [...(await metricsOf('auth')).keys(), ...(await metricsOf('orders')).keys()];
  const names = shown.map((name) => name.replace(/\{.*|_(bucket|sum|count)$|_bucket\{.*/g, ''));
  const text = readFileSync(join(__dirname, '../../docs/revocation.md'), 'utf8');
  const named = [...text.matchAll(/`((?:signet_revocations|auth_guard_revocation)\w*)/g)];
  expect(new Set(named.map(([, name]) => name))).toEqual(new Set(names));
});
