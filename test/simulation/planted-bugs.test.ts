/** A simulator that finds nothing may be blind: it must find bugs that are known to be there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateTape } from './history/generate.ts';
import { play } from './history/play.ts';
import { PLANTED } from './history/planted.ts';
import { shrink } from './history/shrink.ts';

const HISTORIES_MAX = 1500;

describe('the simulator finds a store that', () => {
  for (const [bug, faults] of Object.entries(PLANTED)) {
    it(bug, async (test) => {
      for (let seed = 1; seed <= HISTORIES_MAX; seed++) {
        const { failure } = await play(generateTape(seed), faults);
        if (failure === undefined) continue;
        // Of the simulator's own findings the other test tells.
        if ((await play(generateTape(seed))).failure !== undefined) continue;
        const { tape } = await shrink(generateTape(seed), faults);
        test.diagnostic(`found by seed ${seed}, shortened to ${tape.steps.length} steps`);
        return;
      }
      assert.fail(`not found in ${HISTORIES_MAX} histories`);
    });
  }
});
