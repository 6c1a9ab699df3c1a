import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '../../platform/index.ts';
import { EagerBudget, PacedBudget, Pacer } from './budget.ts';

const { signal } = new AbortController();

async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
}

/** Whether a promise has resolved once everything else had its turn. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  let done = false;
  void work.then(() => {
    done = true;
  });
  await settled();
  return done;
}

describe('Pacer', () => {
  it('lets one verifier work at a time', async () => {
    const clock = new ManualClock(0);
    const pacer = new Pacer({ clock, isLoaded: () => false });
    await pacer.begin(signal);
    const second = pacer.begin(signal);
    assert.equal(await isDone(second), false);
    pacer.end();
    assert.equal(await isDone(second), true);
  });

  it('rests nine times as long as it worked under load, until the load is over', async () => {
    const clock = new ManualClock(0);
    let isLoaded = true;
    const pacer = new Pacer({ clock, isLoaded: () => isLoaded, loadedShare: 0.1, idleShare: 0.5 });
    await pacer.begin(signal);
    clock.advance(100);
    pacer.end();
    const next = pacer.begin(signal);
    for (let step = 0; step < 3; step++) {
      await settled();
      clock.advance(250);
    }
    assert.equal(await isDone(next), false, 'after 750 ms of 900');
    clock.advance(250);
    assert.equal(await isDone(next), true);
    clock.advance(100);
    pacer.end();
    const third = pacer.begin(signal);
    await settled();
    isLoaded = false;
    clock.advance(250);
    assert.equal(await isDone(third), true, 'a rest of 100 ms is enough when idle');
  });

  it('gives a turn that nobody wants any more to the next', async () => {
    const pacer = new Pacer({ clock: new ManualClock(0), isLoaded: () => false });
    await pacer.begin(signal);
    const stop = new AbortController();
    const given = pacer.begin(stop.signal);
    const wanted = pacer.begin(signal);
    stop.abort(new Error('stopped'));
    pacer.end();
    await assert.rejects(given, /stopped/);
    assert.equal(await isDone(wanted), true);
  });
});

describe('PacedBudget', () => {
  it('keeps to its rate', async () => {
    const clock = new ManualClock(0);
    const pacer = new Pacer({ clock, isLoaded: () => false, idleShare: 1 });
    const budget = new PacedBudget({ pacer, clock, perSecond: 1_000 });
    await budget.take(500, signal);
    const next = budget.take(500, signal);
    clock.advance(499);
    assert.equal(await isDone(next), false);
    clock.advance(1);
    assert.equal(await isDone(next), true);
    budget.rest();
  });

  it('stops waiting at once when the server stops', async () => {
    const clock = new ManualClock(0);
    const pacer = new Pacer({ clock, isLoaded: () => false });
    const budget = new PacedBudget({ pacer, clock, perSecond: 1 });
    const stop = new AbortController();
    await budget.take(1_000, stop.signal);
    const next = budget.take(1, stop.signal);
    stop.abort(new Error('stopped'));
    await assert.rejects(next, /stopped/);
  });
});

it('EagerBudget lets others have their turn', async () => {
  const budget = new EagerBudget(10);
  let turns = 0;
  const count = (): void => {
    turns++;
    if (turns < 100) setImmediate(count);
  };
  setImmediate(count);
  for (let piece = 0; piece < 50; piece++) await budget.take(5, signal);
  assert.ok(turns >= 20, `others had ${turns} turns`);
});
