import { after, before } from 'node:test';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { testIdentityStore } from '../../identity-store.conformance.ts';
import { LentIdentityStores } from './testing/lent-identity-stores.ts';

let server: ScratchServer;
let lent: LentIdentityStores;
before(async () => {
  server = await ScratchServer.start();
  lent = await LentIdentityStores.on(server);
});
after(async () => {
  await lent.stop();
  await server.stop();
});

testIdentityStore('MariadbIdentityStore', () => lent.lendEmpty());
