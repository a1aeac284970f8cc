import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { Authenticated, Roles } from '@signet/auth-guard';
import { createTestIssuer } from '@signet/auth-guard/testing';
import { formatOnBehalfOf } from '@signet/http';
import type { Page } from '@signet/http';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { z } from 'zod';
import type { TestService } from '../testing/index.js';
import { startServiceOf } from '../testing/service-of.js';
import { InjectDatabase } from '../tokens.js';
import type { Database } from '../tokens.js';
import { ActingUser, THE_SERVICE } from './actor.js';
import type { Actor } from './actor.js';
import { AuditLog } from './audit-log.js';
import { auditController } from './audit.controller.js';
import { AuditModule } from './audit.module.js';

const ACTIONS = ['thing.changed', 'thing.swept'] as const;

const change = z.strictObject({ id: z.string(), fails: z.boolean().default(false) });

@Controller('things')
class ThingsController {
  constructor(
    @InjectDatabase() private readonly database: Database,
    private readonly audit: AuditLog<(typeof ACTIONS)[number]>,
  ) {}

  @Post()
  @Authenticated('any')
  @HttpCode(204)
  async change(
    @Body({ schema: change }) { id, fails }: z.infer<typeof change>,
    @ActingUser() actor: Actor,
  ): Promise<void> {
    const details = { before: 1, after: 2 };
    await this.database.transaction(async (transaction) => {
      await this.audit.record(
        transaction,
        { action: 'thing.changed', actor, subject: id, details },
        { action: 'thing.swept', actor: THE_SERVICE, subject: id },
      );
      if (fails) throw new Error('after the entry was written');
    });
  }
}

const issuer = createTestIssuer({ audience: 'urn:signet:api' });
const admin = issuer.token({ subject: 'root', roles: ['admin'] });
let service: TestService;

beforeAll(async () => {
  const tables = `create table audit_events (id bigint primary key generated always as identity,
    at timestamptz(3) not null default now(), action text not null, actor text,
    subject text not null, address text, details jsonb)`;
  service = await startServiceOf(issuer, tables, {
    imports: [AuditModule],
    controllers: [ThingsController, auditController(ACTIONS, Roles('admin'))],
  });
});

afterAll(() => service.close());

async function pageAbout(subject: string, cursor = ''): Promise<Page<{ id: string }>> {
  const after = cursor && `&cursor=${cursor}`;
  const response = await service.get(`/admin/audit?limit=2&subject=${subject}${after}`, admin);
  return response.json();
}

const entriesAbout = async (subject: string) => (await pageAbout(subject)).items;

describe('the audit log of a service', () => {
  it('says who changed what, from where, and what the service did by itself', async () => {
    const token = issuer.token({ subject: 'user-1' });
    await service.send('POST', '/things', { token, body: { id: 'mug' } });
    const entry = { id: expect.any(String) as string, at: expect.any(String) as string };
    expect(await entriesAbout('mug')).toEqual([
      {
        ...entry,
        action: 'thing.swept',
        actor: null,
        address: null,
        subject: 'mug',
        details: null,
      },
      {
        ...entry,
        action: 'thing.changed',
        actor: 'user-1',
        address: '127.0.0.1',
        subject: 'mug',
        details: { before: 1, after: 2 },
      },
    ]);
  });

  it('names the user for whom another service acted, beside that service', async () => {
    await service.app.inject({
      method: 'POST',
      url: '/things',
      payload: { id: 'cup' },
      headers: {
        authorization: `Bearer ${issuer.serviceToken({ clientId: 'orders' })}`,
        'signet-actor': formatOnBehalfOf({ sub: 'user-2', roles: ['support'] }),
      },
    });
    expect((await entriesAbout('cup'))[1]).toMatchObject({
      actor: 'orders',
      details: { before: 1, after: 2, onBehalfOf: { sub: 'user-2', roles: ['support'] } },
    });
  });

  it('believes no user who claims to act for another', async () => {
    await service.app.inject({
      method: 'POST',
      url: '/things',
      payload: { id: 'jar' },
      headers: {
        authorization: `Bearer ${issuer.token({ subject: 'user-1' })}`,
        'signet-actor': formatOnBehalfOf({ sub: 'user-2', roles: ['admin'] }),
      },
    });
    const [, entry] = await entriesAbout('jar');
    expect(entry).toMatchObject({ actor: 'user-1', details: { before: 1, after: 2 } });
    expect(entry).not.toHaveProperty('details.onBehalfOf');
  });

  it('has no entry of what was undone', async () => {
    const token = issuer.token({ subject: 'user-1' });
    const body = { id: 'pot', fails: true };
    expect((await service.send('POST', '/things', { token, body })).statusCode).toBe(500);
    expect(await entriesAbout('pot')).toEqual([]);
  });

  it('is filtered by action and actor, and knows the actions that there are', async () => {
    const token = issuer.token({ subject: 'user-3' });
    await service.send('POST', '/things', { token, body: { id: 'pan' } });
    const one = await service.get('/admin/audit?action=thing.changed&actor=user-3', admin);
    expect(one.json<{ items: object[] }>().items).toMatchObject([{ subject: 'pan' }]);
    expect((await service.get('/admin/audit?action=thing.eaten', admin)).statusCode).toBe(400);
  });

  it('is read page by page, without a gap', async () => {
    const token = issuer.token();
    for (let times = 0; times < 3; times++) {
      await service.send('POST', '/things', { token, body: { id: 'lid' } });
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await pageAbout('lid', cursor);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect(new Set(seen).size).toBe(6);
    expect(seen).toEqual([...seen].sort((one, other) => Number(other) - Number(one)));
  });

  it('forgets after 400 days', async () => {
    const pool = new pg.Pool({ connectionString: service.databaseUrl });
    // Dropping the database may cut a connection that is about to close.
    pool.on('error', () => undefined);
    for (const age of ['401 days', '399 days']) {
      await pool.query(
        `insert into audit_events (at, action, subject) values (now() - $1::interval, $1, 'vase')`,
        [age],
      );
    }
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
    await service.send('POST', '/things', { token: issuer.token(), body: { id: 'vase' } });
    jest.restoreAllMocks();
    while ((await pool.query(`select 1 from audit_events where action = '401 days'`)).rowCount) {
      await sleep(20);
    }
    await pool.end();
    const entries = (await service.get('/admin/audit?limit=9&subject=vase', admin)).json<
      Page<object>
    >();
    expect(entries.items).toMatchObject([
      ...[{ action: 'thing.swept' }, { action: 'thing.changed' }, { action: '399 days' }],
    ]);
  });

  it('is for whom the service lets read it', async () => {
    expect((await service.get('/admin/audit')).statusCode).toBe(401);
    expect((await service.get('/admin/audit', issuer.token())).statusCode).toBe(403);
    expect((await service.get('/admin/audit', issuer.serviceToken())).statusCode).toBe(403);
  });
});
