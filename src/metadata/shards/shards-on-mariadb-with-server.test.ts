/** The store over shards on two databases of one MariaDB server, and a directory that hangs. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseTenantId } from '../../base/ids.ts';
import { systemClock } from '../../platform/index.ts';
import type { ServerAddress } from '../../platform/mariadb/index.ts';
import { ScratchServer, inTime } from '../../platform/mariadb/testing/index.ts';
import { testAgainstModel } from '../conformance/against-model.ts';
import { Hand, refused } from '../conformance/hand.ts';
import { testMetadataStore } from '../metadata-store.conformance.ts';
import { shardOfId } from '../shard-number.ts';
import { MariadbMetadataStore } from '../stores/mariadb/mariadb-metadata-store.ts';
import { LentStores } from '../stores/mariadb/testing/lent-stores.ts';
import { MemoryMetadataStore } from '../stores/memory/memory-metadata-store.ts';
import { CachedDirectory } from './cached-directory.ts';
import type { ShardedMetadataStore } from './sharded-metadata-store.ts';
import { MariadbShardDirectory } from './stores/mariadb/mariadb-directory.ts';
import { ACME, openTwoShards } from './testing/two-shards.ts';

const WAIT_MS = 60_000;
/** Some 30 s where nothing else runs. */
const SUITES_MS = 300_000;

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

const lent = [new LentStores(), new LentStores({ shard: 1 })] as const;
before(async () => {
  for (const stores of lent) await stores.start(server);
});
after(async () => {
  for (const stores of lent) await stores.stop();
});

async function lendBoth(): Promise<ShardedMetadataStore> {
  const stores = await inTime(2 * WAIT_MS, 'two empty stores',
    Promise.all(lent.map((one) => one.lendEmpty())));
  const open = async ({ number }: { number: number }) => stores[number] as MariadbMetadataStore;
  return (await openTwoShards({ open, places: [1, 0] })).store;
}

/** What hangs in it is named as the one that was cut short. */
describe('Two shards on MariaDB', { timeout: SUITES_MS }, () => {
  testMetadataStore('ShardedMetadataStore on MariaDB', lendBoth, async () => undefined);

  testAgainstModel('ShardedMetadataStore on MariaDB', {
    open: lendBoth, makeModel: () => new MemoryMetadataStore(), runs: 5, isWhole: false,
  });
});

describe('A database on MariaDB', { timeout: 2 * WAIT_MS }, () => {
  it('gives ids of its shard, and is refused as another one', async () => {
    const address = await server.makeDatabase();
    const open = (shard: number): Promise<MariadbMetadataStore> =>
      MariadbMetadataStore.open({ address, create: true, shard });
    const store = await open(7);
    const { space, root } = await Hand.on(store, { tenant: ACME, owner: 'eve' });
    assert.deepEqual([shardOfId(space.id), shardOfId(root)], [7, 7]);
    const { tenants, nextIds, unsafe } = await store.readFigures();
    assert.deepEqual([tenants, unsafe], [[{ tenant: ACME, spaceCount: 1 }], []]);
    assert.equal(Object.keys(nextIds).length, 6);
    assert.ok(Object.values(nextIds).every((id) => shardOfId(id) === 7));
    await store.close();
    await refused(open(0), 'invalid', 'metadata-other-shard');
    await (await open(7)).close();
  });
});

describe('A directory whose server hangs', { timeout: 5 * WAIT_MS }, () => {
  async function eventually(what: string, isSo: () => boolean): Promise<void> {
    const endsAt = systemClock.now() + WAIT_MS;
    while (!isSo()) {
      assert.ok(systemClock.now() < endsAt, what);
      await new Promise<void>((resolve) => {
        systemClock.after(20, resolve);
      });
    }
  }

  it('is served from what was last known, with its age, and looked at again after', async () => {
    const far = await ScratchServer.start();
    // Also behind a failure: one that goes on looking would keep the process for ever.
    const opened: { close: () => Promise<void> }[] = [];
    try {
      const address: ServerAddress = await far.makeDatabase();
      const clock = systemClock;
      const other = await MariadbShardDirectory.open({ address, clock });
      opened.push(other);
      await other.place(ACME, 0);
      const source = await MariadbShardDirectory.open({ address, clock });
      const cached = await CachedDirectory.open({ source, clock, isShared: true });
      opened.push(cached);
      far.freeze();
      await eventually('it is noticed', () => !cached.standing.isReachable);
      assert.equal(cached.map.placeOf(ACME)?.shard, 0);
      assert.ok(cached.standing.ageMs > 1_000);
      await refused(cached.place(parseTenantId('byte'), 0), 'unavailable');
      far.goOn();
      await eventually('it is reached again', () => cached.standing.isReachable);
      await other.addShard({ name: 'two', url: 'sqlite:2.db', passwordPath: undefined, at: 0 });
      await eventually('what others change is seen', () => cached.map.knows(1));
    } finally {
      far.goOn();
      for (const each of opened.toReversed()) {
        await inTime(WAIT_MS, 'a directory to close', each.close());
      }
      await far.stop();
    }
  });
});
