import { after, before } from 'node:test';
import { testMetadataStore } from '../../metadata-store.conformance.ts';
import { LentStores } from './testing/lent-stores.ts';

const stores = new LentStores();
before(() => stores.start());
after(() => stores.stop());

testMetadataStore('MariadbMetadataStore', () => stores.lendEmpty(), async () => undefined);
