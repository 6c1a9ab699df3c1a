import { after } from 'node:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testMetadataStore } from '../../metadata-store.conformance.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
let made = 0;
after(() => rmSync(folder, { recursive: true, force: true }));

testMetadataStore('SqliteMetadataStore', async () => {
  made += 1;
  return SqliteMetadataStore.open({ file: join(folder, `${made}.db`), create: true });
});
