/** The same random work on MariaDB and on the model in memory must give the same answers. */
import { after, before } from 'node:test';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { testAgainstModel } from '../../conformance/against-model.ts';
import { testSharingAgainstModel } from '../../conformance/shared-against-model.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

let server: ScratchServer;
let address: ServerAddress;
before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
});
after(() => server.stop());

// The tapes that SQLite is tried with until all is reached run the same logic; here it is the way
// to the tables that is tried.
const options = {
  open: () => MariadbMetadataStore.open({ address, create: true }),
  makeModel: () => new MemoryMetadataStore(), runs: 9, isWhole: false,
};
testAgainstModel('MariadbMetadataStore', options);
testSharingAgainstModel('MariadbMetadataStore', options);
