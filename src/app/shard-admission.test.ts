import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ShardPool } from '../metadata/index.ts';
import type { ShardRecord } from '../metadata/index.ts';
import { MemoryMetadataStore } from '../metadata/stores/memory/memory-metadata-store.ts';
import { ManualClock } from '../platform/index.ts';
import { ShardAdmission } from './shard-admission.ts';

const SHARD: ShardRecord = {
  number: 1, name: 'second', url: 'sqlite:second.db', passwordPath: undefined, state: 'open',
  madeAt: 0,
};

it('A shard that opens after its marks were given up is looked at before it is used', async () => {
  const admission = new ShardAdmission();
  const pool = new ShardPool({
    clock: new ManualClock(1_700_000_000_000),
    open: async (shard) => {
      const store = new MemoryMetadataStore();
      await admission.admit(shard, store);
      return store;
    },
  });
  const lookedAt: unknown[] = [];
  const metadata = {
    readMarks: async () => {
      await pool.get(SHARD); // While the marks of others are still being read.
      return { witness: [], away: [1] };
    },
  };
  assert.deepEqual((await admission.readFirstMarks(metadata, pool)).away, [1]);
  await assert.rejects(Promise.resolve(pool.get(SHARD)), { kind: 'unavailable' }, 'for a while');
  admission.add((shard, store) => {
    lookedAt.push([shard.number, store]);
    return Promise.resolve();
  });
  admission.ready();
  const store = await pool.openNow(SHARD);
  assert.deepEqual(lookedAt, [[1, store]]);
  await pool.close();
});

it('A shard that was open, and does not say its marks, is looked at before more use', async () => {
  const admission = new ShardAdmission();
  const lookedAt: string[] = [];
  admission.setLast(async () => {
    lookedAt.push('marks');
  });
  admission.add(async () => {
    lookedAt.push('all else');
  });
  const opened: MemoryMetadataStore[] = [];
  const pool = new ShardPool({
    clock: new ManualClock(1_700_000_000_000),
    open: async (shard) => {
      const store = new MemoryMetadataStore();
      opened.push(store);
      await admission.admit(shard, store);
      return store;
    },
  });
  const before = await pool.get(SHARD);
  lookedAt.length = 0;
  const answers = [{ witness: [], away: [] }, { witness: [], away: [1] }];
  const metadata = { readMarks: async () => answers.shift() ?? assert.fail() };
  await admission.readMarks(metadata, pool);
  assert.equal(pool.find(1), before, 'it has answered');
  assert.deepEqual((await admission.readMarks(metadata, pool)).away, [1]);
  assert.equal(pool.find(1), undefined);
  const again = await pool.get(SHARD);
  assert.deepEqual(lookedAt, ['all else', 'marks']);
  assert.deepEqual(opened, [before, again]);
  await pool.close();
});
