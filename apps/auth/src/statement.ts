import type { Database, Transaction } from '@signet/database';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { Query, SQL } from 'drizzle-orm';

const dialect = new PgDialect({ casing: 'snake_case' });

/**
 * A statement for where tokens are issued: its text is made once, with `sql.placeholder` for what
 * varies, and PostgreSQL plans it once for each connection. Rows come with the columns' own names;
 * moments and 64-bit numbers are text.
 */
export class Statement<Values extends Record<string, unknown>, Row> {
  private query: Query | undefined;

  /** @param name by which each connection knows it; no other statement's */
  constructor(
    private readonly name: string,
    private readonly text: () => SQL,
  ) {}

  async run(executor: Database | Transaction, values: Values): Promise<Row[]> {
    this.query ??= dialect.sqlToQuery(this.text());
    const { session } = executor._;
    const prepared = session.prepareQuery<{
      execute: { rows: Row[] };
      all: unknown;
      values: unknown;
    }>(this.query, undefined, this.name, false);
    return (await prepared.execute(values)).rows;
  }
}
