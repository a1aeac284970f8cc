import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { IN_USE_SECONDS, StandInServices } from '../testing/stand-in-services.js';
import { BusyError, RefusedError, UnansweredError } from './call-errors.js';
import { ServiceClient } from './service-client.js';
import { ServiceTokens } from './service-tokens.js';

const PAYMENT = 'internal/payments?orderId=none';
const anything = z.unknown();

describe('a client of another service', () => {
  let others: StandInServices;
  let tokens: ServiceTokens;
  let client: ServiceClient;

  beforeEach(async () => {
    others = new StandInServices();
    await others.start();
    tokens = new ServiceTokens({
      issuer: others.url,
      tokenUrl: `${others.url}/oauth/token`,
      clientId: 'orders',
      clientSecret: 'a secret of some length',
    });
    client = new ServiceClient(tokens, {
      url: others.url,
      grant: { audience: 'urn:signet:payments', scope: 'payments:charge' },
      timeoutMs: 300,
    });
  });

  afterEach(() => others.stop());

  const ask = () => client.call({ method: 'GET', path: PAYMENT, answer: anything });
  const calls = () => others.calls.filter(({ path }) => path.startsWith('/internal'));
  const answered = (error: unknown) => error instanceof RefusedError && error.code;

  it('asks for one token, for that service alone, however many calls begin at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => ask().catch(() => undefined)));
    expect(others.tokens).toBe(1);
    const form = new URLSearchParams(String(others.calls[0]?.body));
    expect(Object.fromEntries(form)).toEqual({
      grant_type: 'client_credentials',
      resource: 'urn:signet:payments',
      scope: 'payments:charge',
    });
  });

  it('gets another token when the one it has is not liked any more, once', async () => {
    await ask().catch(() => undefined);
    for (const { headers } of calls()) {
      others.refused.add(headers.authorization?.replace('Bearer ', '') ?? '');
    }
    expect(answered(await ask().catch((error: unknown) => error))).toBe('not_found');
    expect(others.tokens).toBe(2);
  });

  it('asks again when nobody answers, and says so when nobody ever does', async () => {
    let lost = 1;
    others.fateOf = ({ path }) => (path.startsWith('/internal') && lost-- > 0 ? 'lost' : undefined);
    expect(answered(await ask().catch((error: unknown) => error))).toBe('not_found');
    lost = 10;
    await expect(ask()).rejects.toThrow(UnansweredError);
  });

  it('does not ask again when the answer is no', async () => {
    await expect(ask()).rejects.toThrow(RefusedError);
    expect(calls()).toHaveLength(1);
  });

  it('waits for an answer only so long', async () => {
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'never' : undefined);
    await expect(ask()).rejects.toThrow(UnansweredError);
  });

  it('leaves a service alone for a while that answers nothing', async () => {
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'lost' : undefined);
    for (let n = 0; n < 8; n++) await ask().catch(() => undefined);
    const before = calls().length;
    await expect(ask()).rejects.toThrow(/left alone/);
    expect(calls()).toHaveLength(before);
  });

  it('does not repeat at once what is being answered still, and says when it may', async () => {
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'in_use' : undefined);
    const error = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BusyError);
    expect(error).toMatchObject({ retryAfterMs: IN_USE_SECONDS * 1000 });
    expect(calls()).toHaveLength(1);
  });

  it('leaves no service alone because somebody keeps it busy with one thing', async () => {
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'in_use' : undefined);
    for (let n = 0; n < 30; n++) await ask().catch(() => undefined);
    others.fateOf = () => undefined;
    expect(answered(await ask().catch((error: unknown) => error))).toBe('not_found');
  });

  it('has nobody who waits for the answer wait for long, or for a second try', async () => {
    const patient = new ServiceClient(tokens, {
      url: others.url,
      grant: { audience: 'urn:signet:payments', scope: 'payments:charge' },
      ...{ timeoutMs: 60_000, hurriedMs: 300 },
    });
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'never' : undefined);
    const call = { method: 'GET', path: PAYMENT, answer: anything, isHurried: true } as const;
    await expect(patient.call(call)).rejects.toThrow(UnansweredError);
    expect(calls()).toHaveLength(1);
    others.fateOf = ({ path }) => (path === '/oauth/token' ? 'never' : undefined);
    tokens.forget(
      { audience: 'urn:signet:payments', scope: '' },
      tokens.cached({ audience: 'urn:signet:payments', scope: '' }) ?? '',
    );
    await expect(patient.call(call)).rejects.toThrow(UnansweredError);
    expect(calls()).toHaveLength(1);
  });

  it('is back when the service is', async () => {
    others.fateOf = ({ path }) => (path.startsWith('/internal') ? 'lost' : undefined);
    for (let n = 0; n < 8; n++) await ask().catch(() => undefined);
    others.fateOf = () => undefined;
    let error: unknown;
    while (!(error instanceof RefusedError)) {
      error = await ask().catch((reason: unknown) => reason);
      await sleep(100);
    }
    expect(answered(error)).toBe('not_found');
  });

  it('takes an answer that it does not understand for none', async () => {
    const call = client.call({
      method: 'PUT',
      path: 'internal/reservations/one',
      answer: z.object({ colour: z.string() }),
    });
    await expect(call).rejects.toThrow(UnansweredError);
  });

  it('never sends a POST that could take effect twice', async () => {
    const call = client.call({ method: 'POST', path: 'internal/payments', answer: anything });
    await expect(call).rejects.toThrow(/Idempotency-Key/);
    expect(others.calls).toEqual([]);
  });

  it('shows its secret in no error', async () => {
    others.stop();
    const error = await ask().catch((reason: unknown) => reason);
    const shown = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`;
    expect(shown).not.toContain('a secret');
    expect(shown).not.toContain(Buffer.from('orders:a secret').toString('base64').slice(0, 12));
  });
});
