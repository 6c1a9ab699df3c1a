/** Writes docs/configuration.md from the settings' declarations; `--check` only compares. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SLICES } from '../src/app/settings.ts';
import { configurationManual } from '../src/platform/index.ts';

const PAGE = join(import.meta.dirname, '../docs/configuration.md');

const wanted = configurationManual(SLICES);
if (process.argv.includes('--check')) {
  const present = await readFile(PAGE, 'utf8');
  if (present !== wanted) {
    console.log('docs/configuration.md is not what the settings say. Write it anew with:');
    console.log('  node_modules/.bin/node tools/configuration-page.ts');
    process.exitCode = 1;
  }
} else {
  await writeFile(PAGE, wanted);
}
