import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { SeededRandom, systemClock } from '../../../platform/index.ts';
import { Block } from '../../block.ts';
import { DiskCache } from '../../cache/disk-cache.ts';
import { MemoryCacheFiles } from '../../cache/testing/memory-cache-files.ts';
import { MirrorStore } from '../../mirror/mirror-store.ts';
import { MemoryQueueFile } from '../../mirror/testing/memory-queue-file.ts';
import { MemoryBlockStore } from '../memory/memory-block-store.ts';
import { FaultProxy, type Fault } from '../testing/fault-proxy.ts';
import { openAzureBlockStore } from './azure-block-store.ts';
import type { AzureOptions } from './azure-options.ts';
import {
  Azurite, AZURITE_ACCOUNT, AZURITE_CONTAINER, AZURITE_KEY, azuriteMissing,
} from './testing/azurite.ts';

const FAULTS: readonly Fault[] = [
  'error-500', 'slow-down', 'reset-request', 'reset-response', 'lost-answer', 'corrupt-request',
  'corrupt-response', 'dropped',
];
const BLOCKS = 60;

describe('Azure behind a network that breaks', { skip: azuriteMissing() ?? false }, () => {
  let server: Azurite;
  let proxy: FaultProxy;
  let options: AzureOptions;
  before(async () => {
    server = await Azurite.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    proxy = await FaultProxy.start(new URL(server.url).origin, systemClock);
    options = {
      account: AZURITE_ACCOUNT, container: AZURITE_CONTAINER,
      endpoint: `${proxy.url}/${AZURITE_ACCOUNT}`, credentials: { accountKey: AZURITE_KEY },
      prefix: `${randomUUID()}/`, storeId: 'wrapped', whenEmpty: 'create', clock: systemClock,
      random: new SeededRandom(3), onFinding: () => undefined,
      limits: {
        silenceTimeoutMs: 1000, operationTimeoutMs: 5000, backoffFirstMs: 2, backoffMaxMs: 10,
      },
    };
  });
  afterEach(() => proxy.close());

  it('gets every block of a mirror in the end, unharmed', async () => {
    const random = new SeededRandom(5);
    const mirror = await MirrorStore.open({
      first: new MemoryBlockStore(), second: await openAzureBlockStore(options), policy: 'async',
      folder: '', file: new MemoryQueueFile(), pair: 'memory, azure', clock: systemClock, random,
      limits: { retryMs: 5, retryMsMax: 50, copiesMax: 4 },
    });
    const blocks = Array.from({ length: BLOCKS }, () => Block.of([random.bytes(20_000)]));
    for (const block of blocks) {
      if (random.below(2) === 0) {
        const fault = FAULTS[random.below(FAULTS.length)] ?? assert.fail();
        proxy.spoil({ fault, times: 1 + random.below(6) });
      }
      await mirror.put(block);
    }
    const endMs = performance.now() + 60_000;
    while (mirror.status().lag.blocks > 0 || !mirror.status().lag.isComplete) {
      assert.ok(performance.now() < endMs, JSON.stringify(mirror.status()));
      await new Promise((resolve) => systemClock.after(5, () => resolve(undefined)));
    }
    assert.ok(proxy.made.length > BLOCKS / 2, `${proxy.made.length} faults prove little`);
    proxy.heal();
    const truth = await openAzureBlockStore({ ...options, endpoint: server.url });
    for (const { id, pieces } of blocks) {
      assert.ok((await truth.get(id)).equals(Buffer.concat(pieces)));
    }
    await truth.close();
    await mirror.close();
  });

  it('is read from the cache in an outage, as far as that has it', async () => {
    const cache = await DiskCache.open({
      behind: await openAzureBlockStore(options), folder: '', files: new MemoryCacheFiles(),
      clock: systemClock,
    });
    const block = Block.of([Buffer.from('lately used')]);
    await cache.put(block);
    proxy.spoil({ fault: 'reset-request' });
    assert.equal(String(await cache.get(block.id)), 'lately used');
    const other = cache.get(Block.of([Buffer.from('never seen')]).id);
    await assert.rejects(other, (error) => isKind(error, 'unavailable'));
    await assert.rejects(cache.find(block.id), (error) => isKind(error, 'unavailable'));
    await cache.close();
  });
});
