import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { Block } from '../../block.ts';
import { testBlockReclaim } from '../../block-reclaim.conformance.ts';
import type { VolumeUse } from '../../volume-reclaim.ts';
import type { ObjectBlockStore } from '../s3/object-block-store.ts';

/** What a collector relies on, tried on each service: the promises of BlockReclaim, and a walk
 *  through the trash. */
export function testObjectCollection(
  name: string, makeEmpty: () => Promise<ObjectBlockStore>,
): void {
  testBlockReclaim(name, async () => {
    const store = await makeEmpty();
    await store.ready();
    return { store, reclaim: store.reclaim };
  });

  testObjectTrash(name, makeEmpty);
}

/** One walk through the trash with every request that it needs. */
export function testObjectTrash(name: string, makeEmpty: () => Promise<ObjectBlockStore>): void {
  it(`${name} moves what is condemned to the trash, back from it, and out`, async () => {
    const store = await makeEmpty();
    try {
      await walkThroughTrash(store);
    } finally {
      await store.close();
    }
  });
}

async function walkThroughTrash(store: ObjectBlockStore): Promise<void> {
  await store.ready();
  const { keeper } = store;
  const blocks = Array.from({ length: 5 }, (_, at) => Block.of([Buffer.alloc(300_000 + at, 'x')]));
  for (const block of blocks) await store.put(block);
  const ids = blocks.map(({ id }) => id);
  const [first, second, ...others] = ids;
  assert.ok(first && second);
  const stored = (await Array.fromAsync(store.asStored().list(undefined))).flat();
  const restored = await trashAllBut(store, [first]);
  const size = stored.filter(({ id }) => id !== first)
    .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  assert.deepEqual(await keeper.listTrash(), [{ volumeId: restored, sizeBytes: size }]);
  for (const id of ids.slice(1)) assert.equal(await store.find(id), undefined);
  const inspection = await keeper.inspectTrash([restored]);
  inspection.need([second]);
  const [result] = await inspection.finish();
  assert.deepEqual([result?.deadCount, result?.rescuedCount], [others.length, 1]);
  assert.equal((await store.get(second)).length, 300_001);
  await keeper.restore(restored);
  assert.deepEqual(await Array.fromAsync(store.list()), ids.toSorted());
  const erased = await trashAllBut(store, [second]);
  await keeper.unlink(erased);
  assert.deepEqual(await keeper.listTrash(), []);
  await assert.rejects(keeper.unlink(erased), (error) => isKind(error, 'not-found'));
  await assert.rejects(store.get(first), (error) => isKind(error, 'not-found'));
  assert.equal((await store.get(second)).length, 300_001);
}

/** Condemns everything else, moves it to the trash as one batch, and answers its number. */
export async function trashAllBut(
  store: ObjectBlockStore, kept: readonly BlockId[],
): Promise<number> {
  const { reclaim, keeper } = store;
  const census = reclaim.beginCensus();
  reclaim.need(census, kept);
  for await (const page of reclaim.listUnneeded(census)) {
    reclaim.condemn(census, page.map(({ id }) => id));
  }
  const uses: VolumeUse[] = await Array.fromAsync(keeper.listUses());
  const volumeId = uses[0]?.volumeId ?? 0;
  await keeper.compact(volumeId);
  await keeper.moveToTrash(volumeId);
  return volumeId;
}
