import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ManualClock } from '../../platform/index.ts';
import { DayTally, readDays, TALLY_DAYS_MAX } from './day-tally.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const START = Date.UTC(2026, 10, 1, 12);

it('what was checked is added up by day, and the last days are kept', () => {
  const notes = new Map<string, unknown>();
  const store = {
    findNote: (owner: string, key: string) => notes.get(`${owner} ${key}`),
    putNote: (owner: string, key: string, value: unknown) => {
      notes.set(`${owner} ${key}`, value);
    },
  };
  const clock = new ManualClock(START);
  const tally = new DayTally(store, 'disk-scrubber', clock);
  tally.add(3);
  assert.deepEqual(readDays(store, 'disk-scrubber', clock.now()), [], 'not written every time');
  tally.flush();
  clock.advance(60_000);
  tally.add(4);
  assert.deepEqual(readDays(store, 'disk-scrubber', clock.now()),
    [{ day: '2026-11-01', checked: 7 }]);
  for (let day = 1; day <= 40; day += 1) {
    clock.advance(DAY_MS);
    tally.add(day);
  }
  const kept = readDays(store, 'disk-scrubber', clock.now());
  assert.equal(kept.length, TALLY_DAYS_MAX);
  assert.deepEqual(kept.at(-1), { day: '2026-12-11', checked: 40 });
  assert.equal((notes.get('disk-scrubber days') as unknown[]).length, TALLY_DAYS_MAX);
});
