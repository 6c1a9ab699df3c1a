/** The same random work on two spaces that share, on SQLite and on the model. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testSharingAgainstModel } from '../../conformance/shared-against-model.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testSharingAgainstModel('SqliteMetadataStore', {
  open: () => SqliteMetadataStore.open({ file: join(folder, 'm.db'), create: true }),
  makeModel: () => new MemoryMetadataStore(), runs: 60, isWhole: true,
});
