/**
 * Erasure sets of cold volumes, ended at every call to a disk: everything acknowledged is readable
 * after the next start, also with any m disks away, and in the end all is well.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settings } from '../support/settings.ts';
import { apart } from './apart.ts';
import type { CrashCount } from './erasure/crash-points.ts';

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
