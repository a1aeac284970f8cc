import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../../..');
const folder = join(root, 'docs/guides');

/** A piece of code, and above it the file that it was taken from and its name there. */
const SAMPLE = /(?:<!-- (\S+): ([^>]+?) -->\n\n)?```ts\n([\s\S]*?)```/g;

const samples = readdirSync(folder).flatMap((guide) =>
  [...readFileSync(join(folder, guide), 'utf8').matchAll(SAMPLE)].map(
    ([, file = '', name = '', code = '']) => ({ guide, file, name, code }),
  ),
);

it('there is a guide for each kind of application', () => {
  const guides = ['command-line', 'mobile-app', 'service-to-service', 'single-page-app', 'web-app'];
  expect(readdirSync(folder).sort()).toEqual(
    ['README.md', ...guides.map((name) => `${name}.md`)].sort(),
  );
});

it.each(samples)('the code of $guide is what $file runs: $name', ({ file, name, code }) => {
  expect(compact(code)).toBe(compact(taken(file, name)));
});

/** Lines break elsewhere where there is more room. */
function compact(code: string): string {
  return code.replaceAll(/\s+/g, '').replaceAll(/,([)}\]])/g, '$1');
}

/** What stands between `// guide: name` and the next `// guide: end`. */
function taken(file: string, name: string): string {
  const text = readFileSync(join(root, file), 'utf8');
  const marked = new RegExp(`^ *// guide: ${name}\n([\\s\\S]*?)^ *// guide: end$`, 'm');
  return marked.exec(text)?.[1] ?? `no ${name} in ${file}`;
}
