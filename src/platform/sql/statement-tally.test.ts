import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { asRequest, markThread } from './request-mark.ts';
import { StatementTally, statementTally } from './statement-tally.ts';
import type { StatementFigures } from './statement-tally.ts';

function only(tally: StatementTally): StatementFigures {
  const [figures, ...others] = tally;
  assert.ok(figures !== undefined && others.length === 0);
  return figures;
}

describe('The tally of statements', () => {
  it('has of each its count, times, rows and errors, and the request of the slowest', () => {
    const tally = new StatementTally(StatementTally.make());
    const count = tally.countOf('tests.one', '0123abcd');
    for (let n = 0; n < 98; n += 1) asRequest(`quick-${n}`, () => count.note(0.5, 2));
    asRequest('slow-7', () => count.note(5_000, 1));
    asRequest('failed-1', () => count.noteError(0.7));
    const { p50Ms, p99Ms, totalMs, ...rest } = only(tally);
    assert.deepEqual(rest, { name: 'tests.one', fingerprint: '0123abcd', count: 100, errors: 1,
      rows: 197, slowestMs: 5_000, slowestRequest: 'slow-7' });
    assert.ok(p50Ms >= 0.5 && p50Ms <= 0.5 * 1.25 && p99Ms >= 0.7 && p99Ms <= 5_000);
    assert.ok(Math.abs(totalMs - 5_049.7) < 0.01);
  });

  it('is at most a quarter off, from microseconds to a minute', () => {
    for (let tookMs = 0.001; tookMs < 60_000; tookMs *= 1.7) {
      const tally = new StatementTally(StatementTally.make());
      const count = tally.countOf('tests.one', '0123abcd');
      count.note(tookMs, 0);
      count.note(tookMs * 2, 0);
      const { p50Ms } = only(tally);
      assert.ok(p50Ms >= tookMs * 0.999 && p50Ms <= tookMs * 1.26, `${p50Ms} for ${tookMs}`);
    }
  });

  it('adds up what a word cannot hold', () => {
    const tally = new StatementTally(StatementTally.make());
    const count = tally.countOf('tests.one', '0123abcd');
    for (let n = 0; n < 10; n += 1) count.note(3_000, 1_000_000_000);
    const { totalMs, rows } = only(tally);
    assert.deepEqual([totalMs, rows], [30_000, 10_000_000_000]);
  });

  it('has room for a fixed number of statements, and counts all others as one', () => {
    const tally = new StatementTally(StatementTally.make());
    for (let n = 0; n < 2_000; n += 1) tally.countOf(`tests.n${n}`, '0123abcd').note(1, 0);
    const all = [...tally];
    assert.ok(all.length < 1_000);
    assert.equal(all.reduce((sum, { count }) => sum + count, 0), 2_000);
    assert.ok(all.some(({ name, count }) => name === 'others' && count > 1_000));
  });

  it('is one for all threads of the process', async () => {
    const text = `import { parentPort } from 'node:worker_threads';
      const { statementTally } = await import(${JSON.stringify(import.meta.resolve(
    './statement-tally.ts'))});
      const count = statementTally.countOf('tests.threads', 'feedbeef');
      for (let n = 0; n < 10_000; n += 1) count.note(0.001, 1);
      parentPort.postMessage('done');`;
    const worker = (): Worker =>
      new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`));
    const ended = [worker(), worker()].map((each) => once(each, 'exit'));
    const count = statementTally.countOf('tests.threads', 'feedbeef');
    markThread('of-thread');
    for (let n = 0; n < 10_000; n += 1) count.note(0.002, 1);
    markThread(undefined);
    await Promise.all(ended);
    const found = [...statementTally].find(({ name }) => name === 'tests.threads');
    assert.deepEqual([found?.count, found?.rows], [30_000, 30_000]);
  });
});
