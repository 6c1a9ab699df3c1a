import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isConflictCopy, originalOfConflict } from './conflict-copy.ts';

describe('The names of conflict copies', () => {
  it('are known, with what the file was called before', () => {
    for (const [name, original] of [
      ['plan (conflicted copy 2026-11-21 101500).txt', 'plan.txt'],
      ['plan (Ada Lovelace conflicted copy 2026-11-21).txt', 'plan.txt'],
      ['plan (Ada\'s conflicted copy 2026-11-21 (1)).txt', undefined],
      ['plan.sync-conflict-20261121-101500-ABCDEFG.txt', 'plan.txt'],
      ['plan (held 2026-11-21).txt', 'plan.txt'],
      ['plan (conflicted copy).txt', 'plan.txt'],
      ['the conflicted copy of Ben.txt', undefined],
    ] as const) {
      assert.equal(originalOfConflict(name), original, name);
      assert.equal(isConflictCopy(name), original !== undefined, name);
    }
  });
});
