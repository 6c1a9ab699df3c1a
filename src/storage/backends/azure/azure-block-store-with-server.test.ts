import { randomUUID } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { SeededRandom, systemClock } from '../../../platform/index.ts';
import { testBlockStore } from '../../block-store.conformance.ts';
import { BlockSealer } from '../../sealing/block-sealer.ts';
import { KeyRing } from '../../sealing/key-ring.ts';
import { testObjectCollection, testObjectTrash } from '../testing/object-trash.ts';
import { openAzureBlockStore } from './azure-block-store.ts';
import type { AzureOptions } from './azure-options.ts';
import {
  Azurite, AZURITE_ACCOUNT, AZURITE_CONTAINER, AZURITE_KEY, azuriteMissing,
} from './testing/azurite.ts';

describe('with Azurite', { skip: azuriteMissing() ?? false }, () => {
  let server: Azurite;
  before(async () => {
    server = await Azurite.start();
  });
  after(() => server.stop());

  function optionsOf(more: Partial<AzureOptions> = {}): AzureOptions {
    return {
      account: AZURITE_ACCOUNT, container: AZURITE_CONTAINER, endpoint: server.url,
      credentials: { accountKey: AZURITE_KEY }, prefix: `${randomUUID()}/`,
      storeId: 'store-under-test', whenEmpty: 'create', clock: systemClock,
      random: new SeededRandom(7), onFinding: () => undefined,
      ...more,
    };
  }

  // Small pages, so that every listing goes on from one to the next.
  testBlockStore('AzureBlockStore', () => {
    return openAzureBlockStore(optionsOf({ limits: { pageKeysMax: 50 } }));
  });

  testObjectCollection('AzureBlockStore', () => openAzureBlockStore(optionsOf()));

  testObjectTrash('AzureBlockStore that seals', () => openAzureBlockStore(optionsOf({
    openSealer: async () => new BlockSealer({
      compression: 'auto', keys: KeyRing.create(Buffer.alloc(32), 'default', 1),
    }),
  })));
});
