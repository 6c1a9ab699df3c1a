import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BlockId } from '../base/ids.ts';
import { RecentBlocks } from './recent-blocks.ts';

const SIZE_BYTES = 1024;
const idOf = (number: number): BlockId => String(number).padStart(64, '0') as BlockId;

/** Room for some 42 blocks of this size with what keeping each costs. */
function makeRecent(): RecentBlocks {
  return new RecentBlocks({ recentBlockBytesMax: 4096, recentBytesMax: 64 * SIZE_BYTES });
}

function add(recent: RecentBlocks, number: number): void {
  recent.add(idOf(number), [Buffer.alloc(SIZE_BYTES, number % 251)], SIZE_BYTES);
}

const countOf = (recent: RecentBlocks, upto: number): number =>
  Array.from({ length: upto }, (_, at) => recent.find(idOf(at))).filter(Boolean).length;

describe('RecentBlocks', () => {
  it('gives back what was put in', () => {
    const recent = makeRecent();
    add(recent, 7);
    assert.deepEqual(recent.find(idOf(7)), Buffer.alloc(SIZE_BYTES, 7));
    assert.equal(recent.find(idOf(8)), undefined);
  });

  it('lets the oldest go, but not what is asked for again and again', () => {
    const recent = makeRecent();
    for (let number = 0; number < 500; number += 1) {
      add(recent, number);
      assert.notEqual(recent.find(idOf(0)), undefined, `after ${number} others`);
    }
    assert.equal(recent.find(idOf(1)), undefined, 'never asked for');
    assert.notEqual(recent.find(idOf(499)), undefined, 'the newest');
  });

  it('stays within its room when all are asked for all the time', () => {
    const recent = makeRecent();
    for (let number = 0; number < 500; number += 1) {
      add(recent, number);
      const held = countOf(recent, number + 1);
      assert.ok(held <= 43, `${held} held`);
    }
    assert.ok(countOf(recent, 500) >= 30);
  });

  it('knows a block no more that it was told to forget, and takes it again', () => {
    const recent = makeRecent();
    for (let number = 0; number < 40; number += 1) add(recent, number);
    for (let number = 0; number < 40; number += 1) recent.forget(idOf(number));
    assert.equal(countOf(recent, 40), 0);
    for (let number = 0; number < 40; number += 1) add(recent, number);
    assert.equal(countOf(recent, 40), 40, 'the room of the forgotten is free');
  });

  it('takes no block that is too large for it', () => {
    const recent = makeRecent();
    recent.add(idOf(1), [Buffer.alloc(5000)], 5000);
    assert.equal(recent.find(idOf(1)), undefined);
  });
});
