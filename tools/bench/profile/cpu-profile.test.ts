import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { describeProfile, summarise } from './cpu-profile.ts';
import type { CpuProfile } from './cpu-profile.ts';

function frame(functionName: string, url = '', lineNumber = 0): {
  functionName: string; url: string; lineNumber: number;
} {
  return { functionName, url, lineNumber };
}

const FILE = 'file:///somewhere/holdfast/src/files/receive.ts';

/** root > receive > hash, receive > receive (recursion) > hash; and idle. */
const PROFILE: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(root)'), children: [2, 5] },
    { id: 2, callFrame: frame('receive', FILE, 9), children: [3, 4] },
    { id: 3, callFrame: frame('hash', 'node:internal/crypto/hash', 1) },
    { id: 4, callFrame: frame('receive', FILE, 9), children: [6] },
    { id: 5, callFrame: frame('(idle)') },
    { id: 6, callFrame: frame('hash', 'node:internal/crypto/hash', 1) },
  ],
  samples: [5, 2, 3, 6, 4],
  timeDeltas: [6000, 1000, 2000, 500, 500],
};

describe('the summary of a CPU profile', () => {
  it('counts self time by function, as a share of the time that was not idle', () => {
    const { elapsedMs, busyMs, bySelf } = summarise(PROFILE);
    assert.deepEqual([elapsedMs, busyMs], [10, 4]);
    assert.deepEqual(bySelf.map(({ name, selfMs, selfShare }) => [name, selfMs, selfShare]), [
      ['hash node:internal/crypto/hash:2', 2.5, 0.625],
      ['receive src/files/receive.ts:10', 1.5, 0.375],
    ]);
  });

  it('counts the time below a function once, though it calls itself', () => {
    const { byTotal } = summarise(PROFILE);
    assert.deepEqual(byTotal.map(({ name, totalShare }) => [name, totalShare]),
      [['receive src/files/receive.ts:10', 1]]);
  });

  it('names a function of an addon by its caller', () => {
    const { bySelf } = summarise({
      nodes: [
        { id: 1, callFrame: frame('findNode', FILE, 4), children: [2] },
        { id: 2, callFrame: frame('') },
      ],
      samples: [2],
      timeDeltas: [100],
    });
    assert.equal(bySelf[0]?.name, '(native) called by findNode src/files/receive.ts:5');
  });

  it('is told in words', () => {
    const text = describeProfile('PUT', summarise(PROFILE));
    assert.match(text, /busy for 40\.0 % of 10 ms/);
    assert.match(text, /62\.5 % {2}hash/);
  });
});
