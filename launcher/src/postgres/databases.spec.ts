import { Client } from 'pg';
import { provisionDatabases } from './databases.ts';
import type { PostgresServer } from './server.ts';
import { startThrowAwayPostgres } from './throw-away.ts';

const ROLES = [
  { name: 'signet_auth', password: 'first?&/:@' },
  { name: 'signet_orders', password: 'second' },
];

let server: PostgresServer;
let urls: string[];
beforeAll(async () => {
  server = await startThrowAwayPostgres();
  urls = await provisionDatabases(server.url, ROLES, true);
});
afterAll(() => server.stop());

it('gives each role a database of its own, in which it may make what it needs', async () => {
  for (const url of urls) {
    await query(url, 'CREATE SCHEMA jobs; CREATE TABLE things (id int); SELECT 1');
  }
});

it('lets a role into no database but its own', async () => {
  for (const database of ['signet_orders', 'postgres', 'template1']) {
    const url = new URL(urls[0] ?? '');
    url.pathname = database;
    await expect(query(url.href, 'SELECT 1')).rejects.toThrow('permission denied for database');
  }
});

it('gives a role no power beyond its database', async () => {
  for (const sql of ['CREATE ROLE friend', 'CREATE DATABASE more', "COPY (SELECT 1) TO '/tmp/x'"]) {
    await expect(query(urls[0] ?? '', sql)).rejects.toThrow('permission denied');
  }
});

it('changes nothing when it is repeated, except a password that is another now', async () => {
  const changed = ROLES.map((role) =>
    role.name === 'signet_auth' ? { ...role, password: 'third' } : role,
  );
  const [auth = '', orders = ''] = await provisionDatabases(server.url, changed, true);
  await query(auth, 'SELECT FROM things');
  await query(orders, 'SELECT FROM things');
  await expect(query(urls[0] ?? '', 'SELECT 1')).rejects.toThrow('password authentication failed');
});

it('needs no superuser, only a role that may create roles and databases', async () => {
  await query(server.url, "CREATE ROLE clerk LOGIN CREATEROLE CREATEDB PASSWORD 'clerk'");
  await query(server.url, 'GRANT CONNECT ON DATABASE postgres TO clerk');
  const admin = new URL(server.url);
  admin.username = 'clerk';
  admin.password = 'clerk';
  admin.searchParams.set('application_name', 'kept');
  const roles = [{ name: 'signet_clerks', password: 'clerks' }];
  const [url = ''] = await provisionDatabases(admin.href, roles, false);
  await provisionDatabases(admin.href, roles, false);
  await query(url, 'CREATE TABLE things (id int)');
  expect(url).toMatch(/\/signet_clerks\?application_name=kept$/);
});

it('says which server it could not use and why, and not the password', async () => {
  const url = new URL(server.url);
  url.password = 'my-secret';
  const failure = await provisionDatabases(url.href, ROLES, false).catch(String);
  expect(failure).toContain(`127.0.0.1:${server.port}: password authentication failed`);
  expect(failure).not.toContain('my-secret');
  const nobody = 'postgresql://admin:my-secret@127.0.0.1:1/postgres';
  await expect(provisionDatabases(nobody, ROLES, false)).rejects.toThrow('ECONNREFUSED');
});

async function query(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(sql);
  } finally {
    await client.end();
  }
}
