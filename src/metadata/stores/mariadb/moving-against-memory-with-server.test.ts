import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { testMovingAgainstMemory } from '../../move/testing/against-memory.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { SqliteMetadataStore } from '../sqlite/sqlite-metadata-store.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
let server: ScratchServer;
let address: ServerAddress;
before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

testMovingAgainstMemory('A tenant that moves between a file and a MariaDB server', {
  openShard: (shard) => (shard === 0
    ? SqliteMetadataStore.open({ file: join(folder, 'metadata.db'), create: true, shard })
    : MariadbMetadataStore.open({ address, create: true, shard })),
  makeModel: () => new MemoryMetadataStore(), runs: 12,
});
