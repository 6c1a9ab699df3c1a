import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { watchBursts } from './burst-garbage.ts';
import { ManualClock } from './clock.ts';

const MIB = 1024 * 1024;

describe('watchBursts', () => {
  let clock: ManualClock;
  let mib: number;
  let livingMib: number;
  let collectedCount: number;
  let end: () => void;

  beforeEach(() => {
    clock = new ManualClock(0);
    mib = 10;
    livingMib = 10;
    collectedCount = 0;
    end = watchBursts({
      clock, externalBytes: () => mib * MIB,
      collect: () => {
        collectedCount += 1;
        mib = livingMib;
      },
    });
  });

  const afterLook = (nowMib: number): number => {
    mib = nowMib;
    clock.advance(1_000);
    return collectedCount;
  };

  it('collects once when a burst has ended, and not while it goes on', () => {
    assert.equal(afterLook(60), 0);
    assert.equal(afterLook(30), 0, 'V8 has collected by itself');
    assert.equal(afterLook(55), 0);
    assert.equal(afterLook(55), 1);
    assert.equal(mib, 10);
    assert.equal(afterLook(12), 1);
    assert.equal(afterLook(12), 1);
  });

  it('leaves little, and what has grown slowly is looked at once', () => {
    for (let now = 10; now < 26; now += 0.5) assert.equal(afterLook(now), 0);
    livingMib = 26;
    assert.equal(afterLook(26), 1);
    assert.equal(afterLook(26), 1, 'what lives is not collected again and again');
    assert.equal(afterLook(41), 1);
    assert.equal(afterLook(41), 1);
  });

  it('knows that less lives when less is there', () => {
    livingMib = 40;
    afterLook(40);
    assert.equal(afterLook(40), 1);
    assert.equal(afterLook(5), 1);
    livingMib = 5;
    assert.equal(afterLook(22), 1);
    assert.equal(afterLook(22), 2);
  });

  it('ends, and does nothing without a collector', () => {
    end();
    afterLook(60);
    assert.equal(afterLook(60), 0);
    watchBursts({ clock, collect: undefined, externalBytes: () => assert.fail('nobody looks') })();
  });
});
