/** The process dies at random moments of a mixed load, with its metadata on a MariaDB server: a
 *  batch that was under way was committed there wholly or not at all, whoever is left to tell. */
import { after, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { TestDatabase } from '../support/database.ts';
import { settings } from '../support/settings.ts';
import { CrashLane } from './crash-lane.ts';

const KILLS = 4;

describe('kill -9 at random moments, on MariaDB', { timeout: 600_000 }, () => {
  let database: TestDatabase | undefined;
  let lane: CrashLane | undefined;
  after(async () => {
    await lane?.close();
    await database?.stop();
  });

  it('loses nothing acknowledged and leaves nothing half', async () => {
    database = await TestDatabase.start();
    const seed = settings.crashSeed;
    const opened = await CrashLane.open(seed, { env: database.env });
    lane = opened;
    try {
      while (opened.cycles < KILLS || opened.acknowledgedCount < KILLS) await opened.killAtRandom();
      await opened.finish();
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}\n${opened.tail()}`,
        { cause: error });
    }
    assert.ok(opened.acknowledgedCount >= KILLS);
  });
});
