import { ORDERS_SECRET, PASSWORD, refresh, register, startAuth } from './testing/running-auth.js';

it('keeps nothing in the database that opens anything', async () => {
  const auth = await startAuth();
  const first = await register(auth);
  const { body: second } = await refresh(auth, first.refresh_token);
  const tables = await auth.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const rows = await Promise.all(tables.map(({ name }) => auth.query(`select * from ${name}`)));
  const dump = JSON.stringify(rows);
  expect(tables.length).toBeGreaterThan(5);
  expect(dump).toContain(first.email);

  for (const secret of [
    PASSWORD,
    ORDERS_SECRET,
    first.refresh_token,
    first.access_token,
    second.refresh_token,
    second.access_token,
  ]) {
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(Buffer.from(secret).toString('base64url'));
    expect(dump).not.toContain(Buffer.from(secret).toString('hex'));
  }
  // Private members of an RSA JWK.
  expect(dump).not.toMatch(/"(d|p|q|dp|dq|qi)\\?":/);

  // What can be read there is not accepted in place of what it stands for.
  const stored = await auth.query<{ hash: string }>('select hash from engine_records');
  for (const { hash } of stored) expect((await refresh(auth, hash)).status).toBe(401);
  expect((await refresh(auth, second.refresh_token)).status).toBe(200);
});
