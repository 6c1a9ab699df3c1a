import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { settings } from '../../support/settings.ts';
import { rest, simulate } from './days.ts';
import { GcWorld, type WorldOptions } from './world.ts';

const SEEDS = settings.simulationSeeds;
const ROUNDS = 20;
/** Until everything that was garbage is gone. */
const LONG_REST = [1, 1, 1, 14, 1, 14, 1];
const folder = await mkdtemp(join(tmpdir(), 'holdfast-gc-'));
after(() => rm(folder, { recursive: true }));

function worldOf(seed: number, options: Partial<WorldOptions> = {}): GcWorld {
  return new GcWorld({ seed, ledgerPath: join(folder, `${seed}.log`), ...options });
}

describe('garbage collection beside uploads, on a disk that loses power', () => {
  it('never makes anything unreadable, and frees all garbage in the end', async () => {
    const seen = { dropped: 0, unlinked: 0, moved: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = worldOf(seed);
      await simulate(world, ROUNDS, { crashes: true, faultShare: 0 });
      await rest(world, LONG_REST);
      await assert.doesNotReject(world.checkReadable(), `seed ${seed}`);
      const left = await world.garbage();
      assert.ok(left.length <= 40, `seed ${seed}: more garbage than the open volume can hold`);
      for (const entry of await world.checkLedger()) {
        if (entry.act === 'trash') seen.dropped += entry.dropped;
        if (entry.act === 'trash') seen.moved += entry.moved;
        if (entry.act === 'unlink') seen.unlinked += 1;
      }
      assert.deepEqual(world.troubles, [], `seed ${seed}`);
      await world.end();
    }
    for (const [what, count] of Object.entries(seen)) assert.ok(count > 10, `${what}: ${count}`);
  });

  it('loses nothing either when writes, syncs and renames fail', async () => {
    for (let seed = 100_001; seed < 100_001 + SEEDS; seed++) {
      const world = worldOf(seed);
      await simulate(world, ROUNDS, { crashes: true, faultShare: 0.02 });
      await rest(world, LONG_REST);
      await assert.doesNotReject(world.checkReadable(), `seed ${seed}`);
      await world.checkLedger();
      await world.end();
    }
  });

  it('would be caught losing blocks if uploads claimed nothing', async () => {
    let caught = 0;
    for (let seed = 1; seed <= 15 && caught === 0; seed++) {
      const world = worldOf(seed, { withoutClaims: true });
      try {
        await simulate(world, ROUNDS, { crashes: false, faultShare: 0 });
        await rest(world, [1, 1, 1]);
        await world.checkReadable();
      } catch {
        caught += 1;
      }
      await world.end();
    }
    assert.equal(caught, 1, 'nobody misses the claims');
  });
});
