import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { EagerBudget } from './budget.ts';
import { Reconciler } from './reconciler.ts';
import type { OrphanBlock, ReconcilerParts } from './reconciler.ts';
import { idOf, MemoryDisk, writeVolume } from './testing/memory-disk.ts';
import { HOUR_MS, MemoryManifests, VerifyWorld } from './testing/verify-world.ts';
import { volumeInventory } from './volume-inventory.ts';

let world: VerifyWorld;
let disk: MemoryDisk;
let source: MemoryManifests;
let proposed: OrphanBlock[];
let reconciler: Reconciler;

const bytesOf = (n: number): Buffer => Buffer.from(`block number ${n}`);
const blockOf = (n: number) => ({ id: idOf(bytesOf(n)), sizeBytes: bytesOf(n).length });
const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

function store(numbers: readonly number[]): void {
  const { name, bytes } = writeVolume({ id: 1, isSealed: true, batches: [numbers.map(bytesOf)] });
  disk.files.set(name, bytes);
}

function make(more: Partial<ReconcilerParts> = {}): void {
  const { store: notes, desk, clock } = world;
  reconciler = new Reconciler({
    source, inventory: volumeInventory({ source, disks: () => [disk.asDisk('local')] }),
    store: notes, desk, clock, orphanAfterMs: HOUR_MS,
    propose: async (orphans) => {
      proposed.push(...orphans);
      return orphans.length;
    },
    ...more,
  });
}

const run = () => reconciler.run(new EagerBudget(1_000), world.signal, { everything: true });

beforeEach(() => {
  world = new VerifyWorld();
  disk = new MemoryDisk();
  source = new MemoryManifests();
  proposed = [];
  make();
});

describe('Reconciler', () => {
  it('says nothing before a second pass, an hour later, agrees', async () => {
    store([1, 2]);
    source.add(1, [blockOf(2), blockOf(3)]);
    await run();
    world.clock.advance(HOUR_MS - 1);
    await run();
    assert.deepEqual(world.kinds(), []);
    assert.deepEqual(proposed, []);
    world.clock.advance(1);
    await run();
    assert.deepEqual(world.kinds(), ['block-missing', 'orphan']);
    assert.deepEqual(proposed.map(({ id }) => id), [blockOf(1).id]);
    const { orphans, orphanBytes, missing } = reconciler.totals() ?? {};
    assert.deepEqual([orphans, orphanBytes, missing], [1, blockOf(1).sizeBytes, 1]);
  });

  it('forgets a difference that a pass in between did not see', async () => {
    store([1]);
    source.add(1, [blockOf(1), blockOf(2)]);
    await run();
    world.clock.advance(HOUR_MS);
    store([1, 2]);
    await run();
    world.clock.advance(HOUR_MS);
    store([1]);
    await run();
    assert.deepEqual(world.kinds(), []);
  });

  it('lets nothing happen when very much looks like garbage', async () => {
    store(upTo(500));
    await run();
    world.clock.advance(2 * HOUR_MS);
    await run();
    assert.deepEqual(proposed, []);
    assert.ok(world.kinds().includes('cap-reached'));
  });

  it('asks the metadata once more right before it proposes', async () => {
    store([1, 2]);
    source.add(1, [blockOf(2)]);
    await run();
    world.clock.advance(2 * HOUR_MS);
    // Somebody uploads the same content after the pass has read the references.
    let pages = 0;
    const page = source.page.bind(source);
    source.page = (after, limit) => {
      pages++;
      if (pages === 3) source.add(2, [blockOf(1)]);
      return page(after, limit);
    };
    await run();
    assert.deepEqual(proposed, []);
  });

  it('calls nothing an orphan while it cannot read all references', async () => {
    store([1]);
    source.rows.push({ key: ['version', 1, 1, 1], manifest: Buffer.from('rubbish') });
    await run();
    world.clock.advance(2 * HOUR_MS);
    await run();
    assert.deepEqual(proposed, []);
    assert.deepEqual(world.kinds(), []);
  });

  it('refuses to call anything missing while a disk does not answer', async () => {
    source.add(1, [blockOf(1)]);
    disk.list = () => Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' }));
    await assert.rejects(run(), /does not answer/);
    assert.deepEqual(world.kinds(), []);
  });
});
