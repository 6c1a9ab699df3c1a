/** Files that are handed over, on the store that servers use. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testTransfers } from '../../src/files/transfer/transfer.conformance.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';

const root = mkdtempSync(join(tmpdir(), 'holdfast-transfers-'));
after(() => rmSync(root, { recursive: true, force: true }));

testTransfers('SqliteMetadataStore', async () => SqliteMetadataStore.open({
  file: join(mkdtempSync(join(root, 'data-')), 'metadata.db'), create: true,
}));
