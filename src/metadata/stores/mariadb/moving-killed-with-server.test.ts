import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ALL_FAILPOINTS, testKilledMoves } from '../../move/testing/killed-moves.ts';
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

testKilledMoves('A move between a file and a MariaDB server', {
  folder, failpoints: ALL_FAILPOINTS, away: async () => JSON.stringify(address),
  openAway: () => MariadbMetadataStore.open({ address, create: false, shard: 1 }),
});
