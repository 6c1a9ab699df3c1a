/**
 * Erasure sets of cold volumes, ended at every call to a disk: everything acknowledged is readable
 * after the next start, also with any m disks away, and in the end all is well.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settings } from '../support/settings.ts';
import { apart } from './apart.ts';
import type { CrashCount } from './erasure/crash-points.ts';

/** What must happen in so many lives, or they prove little. */
const WANTED = [
  'set', 'set-made', 'set-ends', 'set-ended', 'parity-made', 'copy-made', 'parity-damaged',
  'volume in a set', 'moved to trash', 'parity-let-go', 'copy-let-go',
];
const LIVES = new URL('./erasure/random-lives.ts', import.meta.url);
const POINTS = new URL('./erasure/crash-points.ts', import.meta.url);

describe('a crash at any call to a disk', () => {
  for (const work of ['making', 'mending', 'ending'] as const) {
    for (const how of ['kill', 'crash'] as const) {
      it(`loses nothing while a set is ${work}: ${how}`, async (test) => {
        const every = settings.erasureCrashEvery;
        const range = { every, from: 1 + Math.floor(settings.simulationSeed % every) };
        const count = await apart<CrashCount>(POINTS, 'crashEverywhere', work, how, range);
        test.diagnostic(`${count.points} crashes, ${count.losses} losses of two disks`);
        assert.ok(count.points * every > 50, 'too few points prove nothing');
      });
    }
  }
});

describe('random lives with erasure sets', () => {
  it('lose nothing, serve nothing wrong, and come right', async () => {
    const { simulationSeed: seed, erasureHistories } = settings;
    const seen = await apart<string[]>(LIVES, 'liveMany', seed, erasureHistories);
    for (const one of WANTED) assert.ok(seen.includes(one), `${one} has never happened`);
  });
});
