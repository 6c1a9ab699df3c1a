import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { SingleFlight } from './single-flight.ts';
import { Gate, orAbort } from './waiting.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('A gate', () => {
  it('lets so many in at once, and the others in the order they came', async () => {
    const gate = new Gate({ op: 'test', activeMax: 2, waitingMax: 100 });
    let insideMax = 0;
    const order: number[] = [];
    await Promise.all(Array.from({ length: 20 }, (_, at) => gate.run(async () => {
      order.push(at);
      insideMax = Math.max(insideMax, gate.activeCount);
      await turn();
    })));
    assert.deepEqual(order, Array.from({ length: 20 }, (_, at) => at));
    assert.deepEqual([insideMax, gate.activeCount], [2, 0]);
  });

  it('refuses who finds the line full, and lets who gives up leave it', async () => {
    const gate = new Gate({ op: 'test', activeMax: 1, waitingMax: 1 });
    const held = Promise.withResolvers<string>();
    const first = gate.run(() => held.promise);
    const abort = new AbortController();
    const second = gate.run(() => Promise.resolve('second'), abort.signal);
    const full = gate.run(() => Promise.resolve('full'));
    await assert.rejects(full, (error) => isKind(error, 'busy'));
    const reason = new Error('gone');
    abort.abort(reason);
    await assert.rejects(second, (error) => error === reason);
    const third = gate.run(() => Promise.resolve('third'));
    held.resolve('first');
    assert.deepEqual(await Promise.all([first, third]), ['first', 'third']);
    assert.equal(gate.activeCount, 0);
  });

  it('stays open after what ran inside has failed', async () => {
    const gate = new Gate({ op: 'test', activeMax: 1, waitingMax: 1 });
    const broken = new Error('broken');
    await assert.rejects(gate.run(() => Promise.reject(broken)), (error) => error === broken);
    assert.equal(await gate.run(() => Promise.resolve('fine')), 'fine');
  });
});

describe('Waiting that can be given up', () => {
  it('ends with the work or the signal, whichever is first', async () => {
    const reason = new Error('gone');
    const abort = new AbortController();
    const never = orAbort(new Promise<void>(() => undefined), abort.signal);
    assert.equal(await orAbort(Promise.resolve('done'), abort.signal), 'done');
    abort.abort(reason);
    await assert.rejects(never, (error) => error === reason);
    const late = orAbort(Promise.resolve('too late'), abort.signal);
    await assert.rejects(late, (error) => error === reason);
  });
});

describe('A single flight', () => {
  it('shares one errand among all who ask while it lasts, errors too', async () => {
    const flights = new SingleFlight<string, number>();
    let count = 0;
    const act = async (): Promise<number> => {
      count += 1;
      await turn();
      if (count === 2) throw new Error('second');
      return count;
    };
    assert.deepEqual(await Promise.all([1, 2, 3].map(() => flights.run('a', act))), [1, 1, 1]);
    const outcomes = await Promise.allSettled([1, 2].map(() => flights.run('a', act)));
    assert.deepEqual(outcomes.map(({ status }) => status), ['rejected', 'rejected']);
    assert.equal(await flights.run('a', act), 3);
    assert.equal(flights.joinedCount, 3);
  });

  it('ends the errand when the last passenger has left, and starts a new one', async () => {
    const flights = new SingleFlight<string, string>();
    const signals: AbortSignal[] = [];
    const act = (signal: AbortSignal): Promise<string> => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve('new');
    };
    const abort = new AbortController();
    const first = flights.run('a', act, abort.signal);
    abort.abort(new Error('gone'));
    await assert.rejects(first);
    assert.equal(signals[0]?.aborted, true);
    assert.equal(await flights.run('a', act), 'new');
    assert.equal(signals[1]?.aborted, false);
  });
});
