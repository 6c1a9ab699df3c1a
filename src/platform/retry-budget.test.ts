import assert from 'node:assert/strict';
import { once } from 'node:events';
import { beforeEach, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ManualClock } from './clock.ts';
import {
  RETRIES_AT_REST, RETRIES_FOR_MANY, RETRIES_PER_SECOND, RETRIES_SAVED_MAX, RETRY_SHARE,
  RetryBudget, RetryBudgets,
} from './retry-budget.ts';
import type { RetryRank } from './retry-budget.ts';

const SECOND_MS = 1_000;

describe('A budget of retries', () => {
  let clock: ManualClock;
  let budget: RetryBudget;

  beforeEach(() => {
    clock = new ManualClock(5_000);
    budget = RetryBudget.make(() => clock.monotonic());
  });

  /** Takes all there is. */
  const takeAll = (rank: RetryRank = 'many'): number => {
    let taken = 0;
    while (taken < 10_000 && budget.take(rank)) taken += 1;
    return taken;
  };

  it('has some at rest, and as many again as time puts in', () => {
    assert.equal(takeAll(), RETRIES_AT_REST);
    clock.advance(3 * SECOND_MS);
    assert.equal(takeAll(), 3 * RETRIES_PER_SECOND);
    for (let at = 0; at < 100; at += 1) {
      clock.advance(SECOND_MS / 100);
      budget.take('one'); // Looking costs nothing of it.
    }
    assert.equal(takeAll(), RETRIES_PER_SECOND);
    clock.advance(3_600 * SECOND_MS);
    assert.equal(takeAll(), RETRIES_AT_REST);
  });

  it('is given a share by each piece of work, up to a bound', () => {
    takeAll();
    for (let at = 0; at < 1_000; at += 1) budget.begin();
    assert.equal(takeAll(), 1_000 * RETRY_SHARE);
    for (let at = 0; at < 100_000; at += 1) budget.begin();
    clock.advance(60 * SECOND_MS);
    assert.equal(takeAll(), RETRIES_SAVED_MAX);
    assert.equal(budget.figures.firstTries, 101_000);
  });

  it('is not used up by retries that are answered', () => {
    for (let at = 0; at < 10_000; at += 1) {
      assert.ok(budget.take('one'));
      budget.giveBack('one');
    }
    assert.equal(takeAll(), RETRIES_AT_REST);
  });

  it('keeps some for those for whom others wait, and nobody from asking for an outcome', () => {
    assert.equal(takeAll('one'), RETRIES_AT_REST - RETRIES_FOR_MANY);
    assert.equal(takeAll('many'), RETRIES_FOR_MANY);
    assert.equal(takeAll('outcome'), 10_000);
    budget.giveBack('outcome');
    assert.equal(takeAll('many'), 0);
    assert.equal(budget.figures.retries, RETRIES_AT_REST + 10_000);
  });

  it('is one for all threads, and loses and makes nothing when they take and give at once',
    async () => {
      const threads = 4;
      const shared = RetryBudget.make();
      for (let at = 0; at < 2_000; at += 1) shared.begin();
      const gate = new Int32Array(new SharedArrayBuffer(8));
      const code = `
        const { parentPort, workerData: { url, memory, gate } } = require('node:worker_threads');
        import(url).then(({ RetryBudget }) => {
          const budget = RetryBudget.of(memory);
          Atomics.add(gate, 1, 1);
          Atomics.notify(gate, 1);
          Atomics.wait(gate, 0, 0);
          for (let at = 0; at < 100000; at += 1) if (budget.take('many')) budget.giveBack('many');
          parentPort.postMessage('done');
        });`;
      const url = new URL('retry-budget.ts', import.meta.url).href;
      const ends = Array.from({ length: threads }, async () => {
        const worker = new Worker(code, {
          eval: true, workerData: { url, memory: shared.shared, gate },
        });
        await once(worker, 'message');
        await worker.terminate();
      });
      for (let there = 0; there < threads; there = Atomics.load(gate, 1)) {
        await Atomics.waitAsync(gate, 1, there).value;
      }
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
      await Promise.all(ends);
      assert.deepEqual([shared.figures.firstTries, shared.figures.retries],
        [2_000, threads * 100_000]);
      let left = 0;
      while (shared.take('many')) left += 1;
      // Time puts nothing in before most of it is taken.
      const has = RETRIES_AT_REST + 2_000 * RETRY_SHARE;
      assert.ok(left === has || left === has + 1, `${left} of ${has}`);
    });
});

describe('The budgets of a process', () => {
  it('are one for each server', () => {
    const budgets = new RetryBudgets();
    const first = budgets.of('db1:3306');
    assert.equal(budgets.of('db1:3306'), first);
    while (first.take('many'));
    assert.ok(budgets.of('db2:3306').take('one'));
    assert.deepEqual([...budgets].map(([server]) => server), ['db1:3306', 'db2:3306']);
    assert.equal(RetryBudget.of(first.shared).take('many'), false);
    assert.ok(RetryBudget.of(undefined).take('one'));
  });
});
