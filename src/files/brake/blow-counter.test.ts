import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BlowCounter } from './blow-counter.ts';

const WINDOW_MS = 1_000;
const STEP_MS = WINDOW_MS / 20;

describe('The counter of a device', () => {
  it('adds up what lies within the window, to a step of it', () => {
    const times = fc.array(fc.tuple(fc.nat({ max: 400 }), fc.integer({ min: 1, max: 9 })));
    fc.assert(fc.property(times, (work) => {
      const counter = new BlowCounter(WINDOW_MS);
      const done: { at: number; count: number }[] = [];
      let now = 1_700_000_000_000;
      for (const [waitMs, count] of work) {
        now += waitMs;
        done.push({ at: now, count });
        const sumSince = (from: number): number =>
          done.reduce((sum, each) => sum + (each.at > from ? each.count : 0), 0);
        const found = counter.add('d', count, now);
        assert.ok(found >= sumSince(now - WINDOW_MS + STEP_MS), 'no less than a little less');
        assert.ok(found <= sumSince(now - WINDOW_MS - STEP_MS), 'no more than a little more');
      }
    }));
  });

  it('counts each device by itself, takes a clock that goes back, and begins anew', () => {
    const counter = new BlowCounter(WINDOW_MS);
    assert.equal(counter.add('a', 2, 5_000), 2);
    assert.equal(counter.add('b', 3, 5_000), 3);
    assert.equal(counter.add('a', 1, 4_000), 3);
    counter.forget('a');
    assert.equal(counter.add('a', 1, 5_000), 1);
  });

  it('keeps in mind a bounded number of devices, the busy ones first', () => {
    const counter = new BlowCounter(WINDOW_MS);
    counter.add('first', 1, 0);
    for (let n = 0; n < 9_999; n += 1) counter.add(`other ${n}`, 1, 0);
    assert.equal(counter.add('first', 1, 0), 2);
    counter.add('one more', 1, 0);
    assert.equal(counter.add('other 0', 1, 0), 1);
    assert.equal(counter.add('first', 1, 0), 3);
  });
});
