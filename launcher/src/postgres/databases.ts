import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Client } from 'pg';

/** A database, the role of the same name that owns it, and the role's password. */
export interface DatabaseRole {
  name: string;
  password: string;
}

/** Any number, the same in every launcher: one at a time provisions on a server. */
const LOCK = 7_463_648;

/**
 * Makes sure that each role can log in to its own database, and no other ordinary role can.
 *
 * @param adminUrl connection URL of a role that may create roles and databases
 * @param ownServer whether nobody else uses the server, so that its other databases can be closed
 * @returns each role's connection URL, in order
 * @throws Error that says which server could not be prepared, and why
 */
export async function provisionDatabases(
  adminUrl: string,
  roles: DatabaseRole[],
  ownServer: boolean,
): Promise<string[]> {
  const admin = new Client({ connectionString: adminUrl, application_name: 'signet launcher' });
  try {
    await admin.connect();
    await admin.query('SELECT pg_advisory_lock($1)', [LOCK]);
    for (const role of roles) await provision(admin, role);
    if (ownServer) await admin.query('REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC');
  } catch (error) {
    const { host } = new URL(adminUrl);
    throw new Error(`Cannot prepare the databases on ${host}: ${reason(error)}`, { cause: error });
  } finally {
    await admin.end();
  }
  return roles.map((role) => roleUrl(adminUrl, role));
}

async function provision(admin: Client, { name, password }: DatabaseRole): Promise<void> {
  const identifier = admin.escapeIdentifier(name);
  const verifier = admin.escapeLiteral(scramVerifier(password));
  const exists = async (catalogue: string, column: string) =>
    (await admin.query(`SELECT FROM ${catalogue} WHERE ${column} = $1`, [name])).rowCount === 1;
  const roleExists = await exists('pg_roles', 'rolname');
  await admin.query(
    `${roleExists ? 'ALTER' : 'CREATE'} ROLE ${identifier} LOGIN PASSWORD ${verifier}`,
  );
  if (!(await exists('pg_database', 'datname'))) {
    // An administrator short of superuser must be a member of the role to give it a database.
    const { rows } = await admin.query<{ rolsuper: boolean }>(
      'SELECT rolsuper FROM pg_roles WHERE rolname = current_user',
    );
    if (!rows[0]?.rolsuper) await admin.query(`GRANT ${identifier} TO CURRENT_USER`);
    await admin.query(`CREATE DATABASE ${identifier} OWNER ${identifier}`);
  }
  await admin.query(`REVOKE ALL ON DATABASE ${identifier} FROM PUBLIC`);
}

/**
 * What PostgreSQL stores instead of a password (RFC 5803). Sent in place of it, the password cannot
 * end up in the server's log.
 */
function scramVerifier(password: string): string {
  const iterations = 4096;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  const serverKey = hmac('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}

/** The administrator's URL with another user and database: host, port and TLS stay as they are. */
function roleUrl(adminUrl: string, { name, password }: DatabaseRole): string {
  const url = new URL(adminUrl);
  url.username = name;
  url.password = encodeURIComponent(password);
  url.pathname = name;
  for (const parameter of ['user', 'password', 'database']) url.searchParams.delete(parameter);
  return url.href;
}

/** Connecting to several addresses fails with an AggregateError, whose own message is empty. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ');
  return error instanceof Error ? error.message : String(error);
}
