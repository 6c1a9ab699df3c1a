/**
 * Random histories of the store on disks that fail, against a plain model. HOLDFAST_SIMULATION_SEED
 * and HOLDFAST_SIMULATION_HISTORIES choose which; HOLDFAST_SIMULATION_TAPE plays one tape alone.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { settings } from '../support/settings.ts';
import { SOMETIMES } from './history/coverage.ts';
import { generateTape } from './history/generate.ts';
import { play } from './history/play.ts';
import { shrink } from './history/shrink.ts';
import { parseTape, printTape, type Tape } from './history/tape.ts';

/** One in so many is played twice. */
const TWICE_EVERY = 50;
/** Below this a run is too short to ask for every rare thing. */
const COVERED_FROM = 1500;

async function explain(tape: Tape, title: string): Promise<string> {
  const { tape: shorter, error, plays } = await shrink(tape);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `${title}. Shortened in ${plays} runs; save it and name the file in `
    + `HOLDFAST_SIMULATION_TAPE to play it again:\n${printTape(shorter)}\n${text}`;
}

describe('the store under simulated disks', () => {
  if (settings.simulationTape !== undefined) {
    const path = settings.simulationTape;
    it('keeps its promises while the given tape is played', async () => {
      const tape = parseTape(readFileSync(path, 'utf8'));
      const { failure } = await play(tape);
      if (failure !== undefined) assert.fail(await explain(tape, 'The tape fails'));
    });
    return;
  }

  const { simulationSeed: first, simulationHistories: count } = settings;
  const seen = new Set<string>();

  it('keeps its promises in every history, and each seed has one outcome', async (test) => {
    let calls = 0;
    for (let seed = first; seed < first + count; seed++) {
      const tape = generateTape(seed);
      const outcome = await play(tape);
      if (outcome.failure !== undefined) assert.fail(await explain(tape, `Seed ${seed} fails`));
      calls += outcome.calls;
      for (const point of outcome.seen) seen.add(point);
      if (seed % TWICE_EVERY !== 0) continue;
      const { trace } = await play(tape);
      assert.equal(trace, outcome.trace, `seed ${seed} has two outcomes`);
    }
    test.diagnostic(`${count} histories from seed ${first} on, ${calls} calls to disks`);
  });

  it('reaches every rare thing that it is for', (test) => {
    const missed = SOMETIMES.filter((point) => !seen.has(point));
    if (count >= COVERED_FROM) assert.deepEqual(missed, [], 'never reached');
    else test.diagnostic(`never reached in so few histories: ${missed.join('; ')}`);
  });
});
