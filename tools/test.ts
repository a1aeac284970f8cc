/**
 * `npm test`: formatting, lint, types, build, unit tests and journeys of every project, then one line
 * with the true totals. Everything runs even when something fails, so that one run tells all.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync, rmSync } from 'node:fs';

/** What Jest leaves of each project; Nx restores them with what it remembers. */
const RESULTS = '.results/*.json';

interface JestResult {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numRuntimeErrorTestSuites: number;
}

const steps: [name: string, command: string, ...args: string[]][] = [
  ['format', 'prettier', '--check', '.'],
  ['projects', 'nx', 'run-many', '-t', 'lint', 'typecheck', 'build', 'test', '--nxBail=false'],
  ['journeys', 'nx', 'run', 'e2e:e2e'],
];

for (const file of globSync(RESULTS)) rmSync(file);

const failedSteps = steps
  .filter(([, command, ...args]) => spawnSync(command, args, { stdio: 'inherit' }).status !== 0)
  .map(([name]) => name);

const results = globSync(RESULTS).map(
  (file) => JSON.parse(readFileSync(file, 'utf8')) as JestResult,
);
const total = (count: (result: JestResult) => number) =>
  results.reduce((sum, result) => sum + count(result), 0);

const passed = total((result) => result.numPassedTests);
const skipped = total((result) => result.numPendingTests);
const failedTests = total((result) => result.numFailedTests + result.numRuntimeErrorTestSuites);
// A step that fails without a failing test (lint, types, a crash) counts as one failure.
const failed = failedTests || failedSteps.length;

if (failedSteps.length > 0) console.error(`\nFailed: ${failedSteps.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
