import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import { SeededRandom } from '../../platform/index.ts';
import { EagerBudget } from './budget.ts';
import { HOUR_MS, VerifyWorld } from './testing/verify-world.ts';
import { WriteRereader } from './write-rereader.ts';
import type { ReadBack } from './write-rereader.ts';
import { WriteSampler } from './write-sampler.ts';

const MINUTE_MS = 60_000;
let world: VerifyWorld;
let sampler: WriteSampler;
let rereader: WriteRereader;
let answers: Map<string, Buffer | 'superseded' | Error>;
let reads: string[];

async function read(address: string): Promise<ReadBack> {
  reads.push(address);
  const answer = answers.get(address);
  if (answer instanceof Error) throw answer;
  if (answer === undefined) throw new HoldfastError('not-found', 'test', 'None.');
  if (answer === 'superseded') return { kind: 'superseded' };
  return { kind: 'bytes', pieces: (async function* pieces() {
    yield answer;
  })() };
}

function write(address: string, text: string): void {
  const sample = sampler.begin();
  sample?.update(Buffer.from(text));
  sample?.finish(address);
  answers.set(address, Buffer.from(text));
}

const run = () => rereader.run(new EagerBudget(1_000), world.signal);

beforeEach(() => {
  world = new VerifyWorld();
  const { store, desk, clock } = world;
  answers = new Map();
  reads = [];
  sampler = new WriteSampler({ store, clock, random: new SeededRandom(1), oneIn: 1 });
  rereader = new WriteRereader({ read, store, desk, clock });
});

describe('WriteRereader', () => {
  it('reads a write back after a minute, an hour, a day and a week, and then no more', async () => {
    write('1', 'hello');
    sampler.flush();
    const seen: number[] = [];
    for (const atMs of [59_000, MINUTE_MS, HOUR_MS, 24 * HOUR_MS, 168 * HOUR_MS, 400 * HOUR_MS]) {
      world.clock.advance(Date.UTC(2026, 0, 1) + atMs - world.clock.now());
      await run();
      seen.push(reads.length);
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4, 4]);
    assert.equal(world.store.countSamples().count, 0);
    assert.deepEqual(world.kinds(), []);
  });

  it('puts samples into the notes by itself within a second', () => {
    write('1', 'hello');
    assert.equal(world.store.countSamples().count, 0);
    world.clock.advance(1_000);
    assert.equal(world.store.countSamples().count, 1);
  });

  it('tells of other bytes, of a file that is gone, and of one that cannot be read', async () => {
    for (const address of ['1', '2', '3']) write(address, `content ${address}`);
    sampler.flush();
    answers.set('1', Buffer.from('content 9'));
    answers.delete('2');
    answers.set('3', new HoldfastError('corrupt', 'test', 'Damaged.'));
    world.clock.advance(2 * MINUTE_MS);
    await run();
    assert.deepEqual(world.open(), [
      'sample-differs at written 1', 'sample-missing at written 2',
      'sample-unreadable at written 3',
    ]);
    answers.set('1', Buffer.from('content 1'));
    answers.set('2', 'superseded');
    world.clock.advance(20 * MINUTE_MS);
    await run();
    assert.deepEqual(world.open(), ['sample-unreadable at written 3']);
  });

  it('tries again later when the server is busy, and says nothing', async () => {
    write('1', 'hello');
    sampler.flush();
    answers.set('1', new HoldfastError('busy', 'test', 'Later.'));
    world.clock.advance(2 * MINUTE_MS);
    await run();
    assert.deepEqual(world.kinds(), []);
    assert.equal(world.store.countSamples().count, 1);
    const { oldestUncheckedMs } = rereader.status().coverage;
    assert.equal(oldestUncheckedMs, world.clock.now());
  });

  it('reads once, not four times, what fell due while the server was down', async () => {
    write('1', 'hello');
    sampler.flush();
    world.clock.advance(30 * HOUR_MS);
    await run();
    await run();
    assert.equal(reads.length, 1);
  });
});

describe('WriteSampler', () => {
  it('samples one write in a hundred', () => {
    const { store, clock } = world;
    const random = new SeededRandom(7);
    const seldom = new WriteSampler({ store, clock, random });
    let count = 0;
    for (let n = 0; n < 10_000; n++) if (seldom.begin() !== undefined) count++;
    assert.ok(count > 60 && count < 140, `${count} of 10,000`);
  });

  it('takes no more than the queue holds', () => {
    const { store, clock } = world;
    const random = new SeededRandom(1);
    const full = new WriteSampler({ store, clock, random, oneIn: 1, samplesMax: 2 });
    for (const address of ['1', '2']) full.begin()?.finish(address);
    assert.equal(full.begin(), undefined);
    full.flush();
    assert.equal(full.begin(), undefined);
  });
});
