import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError, readConfig, serviceVariables } from './config.js';
import { refusePlainHttp } from './plain-http.js';
import { resourceServerVariables } from './resource-server.js';

const schema = z.object(serviceVariables);
const good = { PORT: '3001', DATABASE_URL: 'postgres://localhost/orders' };

describe('the configuration of a service', () => {
  it('is parsed into numbers and lists, with its defaults', () => {
    const config = readConfig(schema, { ...good, TRUSTED_PROXIES: '10.0.0.1, 10.0.0.2' });
    expect(config).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 3001,
      TRUSTED_PROXIES: ['10.0.0.1', '10.0.0.2'],
      CORS_ORIGINS: [],
    });
  });

  it('names every variable that is missing or wrong, and what was expected', () => {
    const read = () => readConfig(schema, { PORT: 'http', LOG_LEVEL: 'loud' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/PORT is not valid: .*number/);
    expect(read).toThrow(/DATABASE_URL is not set: expected a postgres:\/\/ URL$/m);
    expect(read).toThrow(/LOG_LEVEL is not valid: .*"info"/);
  });

  it.each([
    ['TRUSTED_PROXIES', '127.0.0.1, ::1, 10.0.0.0/8, fd00::/8, loopback, uniquelocal'],
    ['CORS_ORIGINS', 'https://a.example,https://a.example:8443, http://127.0.0.1:5173'],
  ])('takes all kinds of %s: %s', (name, value) => {
    expect(() => readConfig(schema, { ...good, [name]: value })).not.toThrow();
  });

  it.each([
    ['TRUSTED_PROXIES', 'nginx', 'address'],
    ['TRUSTED_PROXIES', '10.0.0.1, 10.0.0.0/33', 'address'],
    ['CORS_ORIGINS', 'https://a.example/', 'https://app.example'],
    ['CORS_ORIGINS', 'https://A.example', 'https://app.example'],
    ['CORS_ORIGINS', 'https://a.example:443', 'https://app.example'],
    ['CORS_ORIGINS', 'a.example', 'https://app.example'],
    ['CORS_ORIGINS', '*', 'https://app.example'],
    ['CORS_ORIGINS', 'null', 'https://app.example'],
  ])('names %s when %s is in it', (name, value, expected) => {
    const read = () => readConfig(schema, { ...good, [name]: value });
    expect(read).toThrow(new RegExp(`${name} is not valid: .*expected .*${expected}`));
  });

  it('says of a default that does not fit that it is one', () => {
    const windows = z
      .object({ WAIT: z.coerce.number().default(5), LIMIT: z.coerce.number() })
      .refine(({ WAIT, LIMIT }) => WAIT < LIMIT, { path: ['WAIT'], error: 'expected less' });
    const read = () => readConfig(windows as never, { LIMIT: '3' });
    expect(read).toThrow('WAIT is left at its default, which is not valid: expected less');
  });

  it('never repeats a value, which may be a secret', () => {
    const read = () => readConfig(schema, { ...good, DATABASE_URL: 'mysql://root:hunter2@db' });
    expect(read).toThrow(/DATABASE_URL is not valid/);
    expect(read).not.toThrow(/hunter2/);
  });

  it('can come from files, as container platforms mount secrets', () => {
    const folder = mkdtempSync(join(tmpdir(), 'signet-config-'));
    const path = join(folder, 'database-url');
    writeFileSync(path, 'postgres://localhost/from-a-file\n');
    const config = readConfig(schema, { PORT: '1', DATABASE_URL_FILE: path });
    rmSync(folder, { recursive: true });
    expect(config.DATABASE_URL).toBe('postgres://localhost/from-a-file');
  });

  it('names the file that cannot be read', () => {
    const read = () => readConfig(schema, { PORT: '1', DATABASE_URL_FILE: '/nowhere/secret' });
    expect(read).toThrow(/DATABASE_URL_FILE.*\/nowhere\/secret/);
  });
});

describe('an address that secrets are sent to', () => {
  const schema = z
    .object({ ...resourceServerVariables, BANK_URL: z.url() })
    .superRefine(refusePlainHttp('BANK_URL'));
  const read = (BANK_URL: string, more = {}) => readConfig(schema, { BANK_URL, ...more });

  it.each(['https://bank.example.com', 'http://127.0.0.1:3010', 'http://localhost:3010'])(
    'may be %s',
    (url) => expect(read(url).BANK_URL).toBe(url),
  );

  it.each(['http://bank.example.com', 'http://10.0.0.7:3010', 'http://localhost.example.com'])(
    'may not be %s, unless the operator says that nobody listens',
    (url) => {
      expect(() => read(url)).toThrow(/BANK_URL is not valid: expected https, or SIGNET_ALLOW/);
      expect(read(url, { SIGNET_ALLOW_PLAIN_HTTP: 'true' }).BANK_URL).toBe(url);
    },
  );
});
