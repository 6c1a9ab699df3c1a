/**
 * Writes the client of the API, src/wire/client.ts, and the shapes that it names,
 * src/wire/client-schema.ts, from the operations as the server declares them; `--check` compares.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { restDocument } from '../src/protocols/index.ts';
import type { RestParts } from '../src/protocols/index.ts';
import { clientFiles } from './wire-client/client-files.ts';
import type { ApiDocument } from './wire-client/client-files.ts';

const FOLDER = join(import.meta.dirname, '../src/wire');

/** Declaring an operation calls no service: whatever is asked for is there, and does nothing. */
const nothing: object = new Proxy(function nobody() { /* Is never called. */ }, {
  get: (_, name) => (name === Symbol.toPrimitive ? () => 0 : nothing),
  construct: () => nothing,
  apply: () => nothing,
});

const document = await restDocument(nothing as RestParts) as ApiDocument;
const stale: string[] = [];
for (const [name, text] of clientFiles(document)) {
  const path = join(FOLDER, name);
  if (!process.argv.includes('--check')) {
    await writeFile(path, text);
    continue;
  }
  const present = await readFile(path, 'utf8').catch(() => '');
  if (present !== text) stale.push(`src/wire/${name}`);
}
if (stale.length > 0) {
  console.log(`${stale.join(' and ')}: not what the API declares. Write anew with:`);
  console.log('  node_modules/.bin/node tools/wire-client.ts');
  process.exitCode = 1;
}
