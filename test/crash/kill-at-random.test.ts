/** The process dies at random moments of a mixed load, on two data directories side by side. */
import { after, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { settings } from '../support/settings.ts';
import { CrashLane, allLanes } from './crash-lane.ts';

const CYCLES = Math.ceil(settings.crashCycles / 2);

describe('kill -9 at random moments', { timeout: 1_700_000 }, () => {
  const lanes: CrashLane[] = [];
  after(async () => {
    for (const lane of lanes) await lane.close();
  });

  it(`loses nothing acknowledged and leaves nothing half, ${CYCLES} times`, async (test) => {
    let hasFailed = false;
    const run = async (seed: number, cycles: number): Promise<void> => {
      const lane = await CrashLane.open(seed);
      lanes.push(lane);
      try {
        while (lane.cycles < cycles && !hasFailed) await lane.killAtRandom();
        await lane.finish();
      } catch (error) {
        hasFailed = true;
        const where = `seed ${seed}, cycle ${lane.cycles}`;
        throw new Error(`${where}: ${(error as Error).message}\n${lane.tail()}`, { cause: error });
      }
    };
    const seed = settings.crashSeed;
    const half = CYCLES >> 1;
    await allLanes([run(seed, CYCLES - half), run(seed + 1_000, half)]);
    const acknowledged = lanes.reduce((sum, lane) => sum + lane.acknowledgedCount, 0);
    test.diagnostic(`seed ${seed}: ${CYCLES} kills, ${acknowledged} acknowledged changes`);
    assert.ok(acknowledged > CYCLES, 'a load that is never acknowledged proves nothing');
  });
});
