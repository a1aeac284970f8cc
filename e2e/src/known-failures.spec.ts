import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const page = readFileSync(join(root, 'docs/known-failures.md'), 'utf8');

/** A file in backticks, and the name of a test that is in it. */
const TEST = /`(\S+\.spec\.ts)`: "(.+?)"(?=<br>| *\|)/g;

const tests = [...page.matchAll(TEST)].map(([, file = '', name = '']) => ({ file, name }));

it('docs/known-failures.md shows a test for each failure', () => {
  const rows = page.split('\n').filter((line) => /^\| (?!Known failure|-)/.test(line));
  expect(rows.length).toBeGreaterThanOrEqual(16);
  expect(rows.filter((row) => row.search(TEST) === -1)).toEqual([]);
  expect(tests).toHaveLength(page.split('.spec.ts`: "').length - 1);
});

it.each(tests)('$file has the test that it names: $name', ({ file, name }) => {
  const path = join(root, file);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const named = ["'", '"', '`'].map(
    (quote) => quote + name.replaceAll(quote, `\\${quote}`) + quote,
  );
  expect(named.filter((literal) => text.includes(literal))).not.toEqual([]);
});
