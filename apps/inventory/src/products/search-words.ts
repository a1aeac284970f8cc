import type { Database } from '@signet/database';
import { sql } from 'drizzle-orm';
import type { SQL, SQLWrapper } from 'drizzle-orm';

/**
 * The words of a text as PostgreSQL's `text[]`: runs of letters and digits, in small letters. Both what
 * is searched and what is looked for is cut here, by the database, so that they agree in every locale;
 * its own parser takes `blue/green` for a path and `STONE-01` for a negative number. A run of more than
 * 100 is cut, since a lexeme has a longest length.
 */
export function wordsOf(text: SQLWrapper): SQL {
  return sql`array_remove(regexp_split_to_array(regexp_replace(lower(${text}), '([[:alnum:]]{100})', '\\1 ', 'g'), '[^[:alnum:]]+'), '')`;
}

/**
 * The query, as text, for what has a word that begins with each word of `text`; null without any word. Asked for
 * by itself, so that the planner of the search knows how rare the words are.
 */
export async function searchFor(database: Database, text: string): Promise<string | null> {
  const { rows } = await database.execute<{ query: string | null }>(sql`
    select string_agg('''' || word || ''':*', ' & ') as query
    from unnest(${wordsOf(sql`${text}::text`)}) as word`);
  return rows[0]?.query ?? null;
}
