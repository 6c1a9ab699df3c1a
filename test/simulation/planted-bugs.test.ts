/** A simulator that finds nothing may be blind: it must find bugs that are known to be there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { apart } from './apart.ts';
import { MANY, type FoundBug } from './history/many.ts';
import { PLANTED } from './history/planted.ts';

const HISTORIES_MAX = 1500;

describe('the simulator finds a store that', () => {
  for (const bug of Object.keys(PLANTED)) {
    it(bug, async (test) => {
      const found = await apart<FoundBug | undefined>(MANY, 'findPlanted', bug, HISTORIES_MAX);
      assert.ok(found, `not found in ${HISTORIES_MAX} histories`);
      test.diagnostic(`found by seed ${found.seed}, shortened to ${found.steps} steps`);
    });
  }
});
