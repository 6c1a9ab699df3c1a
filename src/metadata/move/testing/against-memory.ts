/** Random work on a tenant that never stays: it moves from one shard to another and back all the
 *  time, and answers as a store in memory does. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DEFAULT_TENANT } from '../../../base/ids.ts';
import { testAgainstModel } from '../../conformance/against-model.ts';
import type { MetadataStore } from '../../metadata-store.ts';
import { MemoryShardDirectory } from '../../shards/stores/memory/memory-directory.ts';
import { MemoryMoveJournal } from '../move-record.ts';
import type { RowsStore } from '../tenant-rows.conformance.ts';
import { MovingTenant } from './moving-tenant.ts';

/** Of each opening: the tapes may be done before the first. */
const MOVES_MIN = 2;

interface Figures {
  moves: number;
  refusals: number;
  longestMs: number;
  shortestMs: number;
}

/** Moves it until told to stop: mostly by the way back, sometimes by a new copy. */
async function wander(
  moving: MovingTenant, figures: Figures, isEnding: () => boolean,
): Promise<void> {
  const enough = figures.moves + MOVES_MIN;
  while (!isEnding() || figures.moves < enough) {
    const [record] = moving.mover.list();
    if (record === undefined || record.state === 'done') {
      await moving.move(1 - await moving.shardOf());
    } else if (record.state === 'reverse') {
      if (figures.moves % 3 === 2) await moving.finish();
      else await moving.back();
    } else await moving.reached('reverse');
    const { freezeMs, isPaused, trouble } = moving.mover.get(DEFAULT_TENANT);
    assert.ok(!isPaused, trouble ?? '');
    figures.longestMs = Math.max(figures.longestMs, freezeMs ?? 0);
    figures.shortestMs = Math.min(figures.shortestMs, freezeMs ?? Infinity);
    figures.moves += 1;
  }
}

export function testMovingAgainstMemory(name: string, { openShard, makeModel, runs }: {
  openShard: (shard: number) => Promise<RowsStore>; makeModel: () => MetadataStore; runs: number;
}): void {
  const directory = new MemoryShardDirectory();
  const journal = new MemoryMoveJournal();
  const figures: Figures = { moves: 0, refusals: 0, longestMs: 0, shortestMs: Infinity };
  const open = async (): Promise<MetadataStore> => {
    if ((await directory.read()).shards.length === 1) {
      await directory.addShard({ name: 'b', url: 'sqlite:b.db', passwordPath: undefined, at: 0 });
    }
    const stores = [await openShard(0), await openShard(1)] as const;
    const moving = await MovingTenant.open({ stores, directory, journal });
    let isEnding = false;
    const wandering = wander(moving, figures, () => isEnding);
    return moving.store(async () => {
      isEnding = true;
      await wandering;
      figures.refusals += moving.waits;
      await moving.mover.close();
      for (const store of stores) await store.close();
    });
  };

  testAgainstModel(name, { open, makeModel, runs, isWhole: false });

  it(`${name} has moved all the time, and held up nobody for long`, (t) => {
    const { moves, refusals, longestMs, shortestMs } = figures;
    const freeze = Math.round(longestMs);
    t.diagnostic(`${moves} moves; ${refusals} refusals; longest freeze ${freeze} ms`);
    assert.ok(moves >= MOVES_MIN, 'else it proves nothing');
    // How long it took to tell the directory is the machine's; most are far below.
    assert.ok(shortestMs <= 2_000, `none was shorter than ${shortestMs} ms`);
  });
}
