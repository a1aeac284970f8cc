import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runWycheproof } from './wycheproof.js';
import type { Conformance, Deviation, WycheproofFile } from './wycheproof.js';

/**
 * Runs the files of Project Wycheproof that are found in a folder, and fails when a forged signature
 * is accepted: `nx run auth-guard:conformance -- DIR`.
 */
function main(folder: string | undefined): number {
  if (folder === undefined) {
    console.error('Name the folder that holds json_web_signature_test.json.');
    return 2;
  }
  const files = readdirSync(folder).filter((name) => /^json_web_signature.*\.json$/.test(name));
  if (files.length === 0) {
    console.error(`There is no json_web_signature_test.json in ${folder}.`);
    return 2;
  }
  const results = files.map((name) => {
    const file = JSON.parse(readFileSync(join(folder, name), 'utf8')) as WycheproofFile;
    const result = runWycheproof(file);
    report(name, result);
    return result;
  });
  return results.some(({ acceptedInvalid }) => acceptedInvalid.length > 0) ? 1 : 0;
}

function report(name: string, result: Conformance): void {
  const { accepted, refused, refusedValid, acceptedInvalid } = result;
  console.log(`${name}: ${accepted} accepted, ${refused} refused`);
  console.log(`\nForged and accepted: ${acceptedInvalid.length}`);
  acceptedInvalid.forEach(print);
  console.log(`\nValid by the standard, refused by the strict profile: ${refusedValid.length}`);
  refusedValid.forEach(print);
}

function print({ tcId, comment, reason }: Deviation): void {
  console.log(`  tcId ${String(tcId).padStart(3)}  ${comment}: ${reason}`);
}

process.exitCode = main(process.argv[2]);
