import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(__dirname, '../..');

it('docs/access.md says what the services say (`npx nx run e2e:access` writes it anew)', () => {
  const { status, stderr } = spawnSync(process.execPath, ['tools/access.ts', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
