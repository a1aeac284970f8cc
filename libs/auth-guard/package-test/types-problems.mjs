/** Prints as JSON what attw finds wrong with the tarball that is named. Jest cannot load attw. */
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const contents = createPackageFromTarballData(readFileSync(process.argv[2] ?? ''));
const { types, problems = [] } = await checkPackage(contents);
process.stdout.write(JSON.stringify(types ? problems : [{ kind: 'NoTypes' }]));
