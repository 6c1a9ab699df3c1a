/** The same random work on SQLite and on the model in memory must give the same answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testAgainstModel } from '../../conformance/against-model.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testAgainstModel('SqliteMetadataStore', {
  open: () => SqliteMetadataStore.open({ file: join(folder, 'm.db'), create: true }),
  makeModel: () => new MemoryMetadataStore(), runs: 120, isWhole: true,
});
