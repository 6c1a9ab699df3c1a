import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { NodeId } from '../../../base/ids.ts';
import {
  MemoryMetadataStore,
} from '../../../metadata/stores/memory/memory-metadata-store.ts';
import { NOON, SpaceHand } from '../../testing/space-hand.ts';
import { failsWith } from '../../testing/share-site.ts';
import { RetentionJob } from './retention-job.ts';
import { DAY_MS } from './thinning.ts';

describe('Retention', () => {
  let h: SpaceHand;
  let now: number;
  let pauses: number;
  beforeEach(async () => {
    h = await SpaceHand.on(new MemoryMetadataStore());
    now = NOON;
    pauses = 0;
  });

  const run = (policy: { keepAllDays: number; trashKeepDays: number }) => {
    const pause = async (): Promise<void> => {
      pauses += 1;
    };
    const job = new RetentionJob({
      metadata: h.store, now: () => now, pause, policy: { keepDailyDays: 365, ...policy },
    });
    return job.run();
  };
  const put = (name: string, number: number): Promise<NodeId> => {
    h.at = now;
    return h.put(h.root, name, number);
  };
  const remove = (id: NodeId): Promise<void> => {
    h.at = now;
    return h.delete(id);
  };
  /** The numbers that tell contents. */
  const contents = async (): Promise<number[]> => {
    const all = await h.store.listManifests(100);
    return all.map(({ manifest }) => Buffer.from(manifest).readUInt8(16 + 31))
      .toSorted((a, b) => a - b);
  };

  it('lets nothing refer to content that the policy lets go, and keeps all other', async () => {
    for (const number of [1, 2, 3]) await put('report', number);
    const old = await put('old', 50);
    const young = await put('young', 60);
    await remove(old);
    now += 40 * DAY_MS;
    await put('report', 4);
    await remove(young);
    now += DAY_MS;
    const report = await run({ keepAllDays: 30, trashKeepDays: 30 });
    // The last of its day stays, as do what is live and what is in the trash since yesterday.
    assert.deepEqual(await contents(), [3, 4, 60]);
    assert.equal(report.versionCount, 2);
    assert.ok(report.isWhole && report.rowCount > 0 && pauses > 0);
    assert.deepEqual((await h.list(h.root)).map(({ name }) => name), ['report']);
    await assert.rejects(h.past(1), failsWith('not-found', 'past-gone'));
    assert.deepEqual(await run({ keepAllDays: 30, trashKeepDays: 30 }),
      { spaceCount: 1, rowCount: 0, versionCount: 0, isWhole: true });
  });

  it('keeps what a quarantine held that was undone, as long as what was deleted', async () => {
    const { id: spaceId } = h.space;
    const nodeId = await put('report', 1);
    const actor = { user: h.space.owner as never, device: 'laptop', at: now, lockTokens: [] };
    const { count: quarantineId } = await h.store.commit({
      op: 'open-quarantine', spaceId, deviceKey: 'laptop', actor,
    });
    await h.store.commit({
      op: 'hold', spaceId, quarantineId, deleted: [nodeId], released: [], actor,
    });
    const heldAfter = async (days: number): Promise<number> => {
      now += days * DAY_MS;
      await run({ keepAllDays: 0, trashKeepDays: days > 30 ? 0 : 30 });
      return (await h.store.listHeld(quarantineId, 10)).length;
    };
    assert.equal(await heldAfter(30), 1, 'it waits for a decision as long as that takes');
    await h.store.commit({
      op: 'decide-quarantine', spaceId, quarantineId, decision: 'undo',
      actor: { ...actor, at: now },
    });
    assert.deepEqual([await heldAfter(1), await heldAfter(29)], [1, 1]);
    assert.deepEqual([await heldAfter(400), await heldAfter(1)], [1, 0]);
    assert.equal((await h.store.findQuarantine(quarantineId))?.state, 'undone');
  });

  it('keeps everything for ever when it is told to', async () => {
    for (const number of [1, 2]) await put('report', number);
    await remove(await put('old', 3));
    now += 4_000 * DAY_MS;
    const report = await run({ keepAllDays: 0, trashKeepDays: 0 });
    assert.deepEqual([report.rowCount, report.versionCount], [0, 0]);
    assert.deepEqual(await contents(), [1, 2, 3]);
    await h.past(0);
  });

  it('thins files with more versions than a page holds, and every file of a large space',
    async () => {
      const changes = Array.from({ length: 1_500 }, (_, n) => put('log', n + 1));
      await Promise.all(changes);
      await Promise.all(Array.from({ length: 300 }, async (_, n) => {
        await put(`f${n}`, 1);
        await put(`f${n}`, 2);
      }));
      now += 40 * DAY_MS;
      await put('last', 1);
      const { versionCount } = await run({ keepAllDays: 30, trashKeepDays: 30 });
      assert.equal(versionCount, 1_499 + 300);
      assert.equal((await h.store.listManifests(1_000)).length, 302);
    });
});
