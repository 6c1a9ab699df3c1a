import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { SeededRandom, systemClock, type Clock } from '../../../platform/index.ts';
import { Passing, retrying, withDeadline } from './retrying.ts';
import { Turns } from './turns.ts';

/** Runs what is due at once, and remembers how long it would have waited. */
class HastyClock implements Clock {
  readonly pausesMs: number[] = [];

  now(): number {
    return 0;
  }

  monotonic(): number {
    return 0;
  }

  after(delayMs: number, act: () => void): () => void {
    this.pausesMs.push(delayMs);
    queueMicrotask(act);
    return () => undefined;
  }
}

const fault = new HoldfastError('unavailable', 'test', 'no');
const never = new AbortController().signal;

function optionsOf(clock: Clock, seed = 1) {
  const random = new SeededRandom(seed);
  return { attemptsMax: 6, backoffFirstMs: 100, backoffMaxMs: 1000, clock, random };
}

describe('retrying', () => {
  it('tries a bounded number of times and throws the last fault', async () => {
    let attempts = 0;
    const work = retrying(optionsOf(new HastyClock()), never, () => {
      attempts++;
      return Promise.reject(new Passing(fault));
    });
    await assert.rejects(work, (error) => error === fault);
    assert.equal(attempts, 6);
  });

  it('pauses longer each time, up to a limit, and never twice the same', async () => {
    const spansMs = [100, 200, 400, 800, 1000];
    const seen = new Set<number>();
    for (let seed = 1; seed <= 50; seed++) {
      const clock = new HastyClock();
      const fail = () => Promise.reject(new Passing(fault));
      const work = retrying(optionsOf(clock, seed), never, fail);
      await assert.rejects(work);
      assert.equal(clock.pausesMs.length, 5);
      for (const [at, pauseMs] of clock.pausesMs.entries()) {
        assert.ok(pauseMs >= 1 && pauseMs <= (spansMs[at] as number) + 1, `${at}: ${pauseMs}`);
      }
      seen.add(clock.pausesMs[4] as number);
    }
    assert.ok(seen.size > 30, 'scattered');
  });

  it('waits as long as the service asks, but not longer than the limit', async () => {
    const clock = new HastyClock();
    const waits = [500, 9000];
    const work = retrying(optionsOf(clock), never, () => {
      const waitMs = waits.shift();
      if (waitMs === undefined) return Promise.resolve('done');
      return Promise.reject(new Passing(fault, waitMs));
    });
    assert.equal(await work, 'done');
    assert.deepEqual(clock.pausesMs, [500, 1000]);
  });

  it('tries nothing again that is wrong for good', async () => {
    const wrong = new Error('wrong');
    let attempts = 0;
    const work = retrying(optionsOf(new HastyClock()), never, () => {
      attempts++;
      return Promise.reject(wrong);
    });
    await assert.rejects(work, (error) => error === wrong);
    assert.equal(attempts, 1);
  });

  it('ends a pause when the deadline comes, and says so', async () => {
    const deadline = { clock: systemClock, timeoutMs: 20, op: 'test', signal: undefined };
    const options = { ...optionsOf(systemClock), backoffFirstMs: 60_000, backoffMaxMs: 60_000 };
    const work = withDeadline(deadline, (signal) => {
      return retrying(options, signal, () => Promise.reject(new Passing(fault, 60_000)));
    });
    await assert.rejects(work, (error) => isKind(error, 'unavailable') && error.code === 'timeout');
  });
});

describe('Turns', () => {
  it('runs so many at once, the others in the order they came', async () => {
    const turns = new Turns(2, 10);
    const order: number[] = [];
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const works = ends.map(({ promise }, at) => turns.take(never, () => {
      order.push(at);
      return promise;
    }));
    assert.deepEqual(order, [0, 1]);
    for (const [at, end] of ends.entries()) {
      end.resolve();
      await works[at];
    }
    assert.deepEqual(order, [0, 1, 2, 3, 4]);
  });

  it('forgets who gave up waiting, and passes the turn on after a failure', async () => {
    const turns = new Turns(1, 1);
    const first = Promise.withResolvers<void>();
    const failing = turns.take(never, () => first.promise);
    const abort = new AbortController();
    const waiting = turns.take(abort.signal, () => Promise.resolve('not run'));
    assert.equal(turns.full, true);
    const reason = new Error('gone');
    abort.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    assert.equal(turns.full, false);
    first.reject(new Error('failed'));
    await assert.rejects(failing);
    assert.equal(await turns.take(never, () => Promise.resolve('run')), 'run');
  });
});
