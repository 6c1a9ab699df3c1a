/** Histories that once broke a promise, each shrunk to the few steps that did. Never again. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { play } from './history/play.ts';
import { parseTape } from './history/tape.ts';

const TAPES = join(import.meta.dirname, '../fixtures/simulation-tapes');

describe('a fault that the simulator has found', () => {
  const names = readdirSync(TAPES).filter((name) => name.endsWith('.json')).sort();
  assert.ok(names.length >= 10, 'the tapes are there');
  for (const name of names) {
    it(`does not come back: ${name}`, async () => {
      const { failure } = await play(parseTape(readFileSync(join(TAPES, name), 'utf8')));
      assert.equal(failure, undefined);
    });
  }
});
