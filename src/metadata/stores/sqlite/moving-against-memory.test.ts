import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testMovingAgainstMemory } from '../../move/testing/against-memory.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testMovingAgainstMemory('A tenant that moves between two files', {
  openShard: (shard) =>
    SqliteMetadataStore.open({ file: join(folder, `${shard}.db`), create: true, shard }),
  makeModel: () => new MemoryMetadataStore(), runs: 16,
});
