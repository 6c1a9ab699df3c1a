/**
 * Random histories of the store on disks that fail, against a plain model. HOLDFAST_SIMULATION_SEED
 * and HOLDFAST_SIMULATION_HISTORIES choose which; HOLDFAST_SIMULATION_TAPE plays one tape alone.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { settings } from '../support/settings.ts';
import { apart } from './apart.ts';
import { SOMETIMES } from './history/coverage.ts';
import { MANY, type Histories } from './history/many.ts';
import { parseTape } from './history/tape.ts';

/** Below this a run is too short to ask for every rare thing. */
const COVERED_FROM = 1500;

describe('the store under simulated disks', () => {
  if (settings.simulationTape !== undefined) {
    const path = settings.simulationTape;
    it('keeps its promises while the given tape is played', async () => {
      const tape = parseTape(readFileSync(path, 'utf8'));
      const failure = await apart<string | undefined>(MANY, 'playTape', tape);
      if (failure !== undefined) assert.fail(failure);
    });
    return;
  }

  const { simulationSeed: first, simulationHistories: count } = settings;
  let seen: readonly string[] = [];

  it('keeps its promises in every history, and each seed has one outcome', async (test) => {
    const played = await apart<Histories>(MANY, 'playSeeds', first, count);
    ({ seen } = played);
    if (played.failure !== undefined) assert.fail(played.failure.text);
    test.diagnostic(`${count} histories from seed ${first} on, ${played.calls} calls to disks`);
  });

  it('reaches every rare thing that it is for', (test) => {
    const missed = SOMETIMES.filter((point) => !seen.includes(point));
    if (count >= COVERED_FROM) assert.deepEqual(missed, [], 'never reached');
    else test.diagnostic(`never reached in so few histories: ${missed.join('; ')}`);
  });
});
