import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  NOTHING_SELECTED, keepOnly, selectAll, selectOnly, selectRange, step, toggle,
} from './selection.ts';

const ORDER = ['a', 'b', 'c', 'd'];
const idsOf = ({ ids }: { ids: ReadonlySet<string> }): string => [...ids].join('');

describe('the selection', () => {
  it('grows and shrinks from its anchor, in both directions', () => {
    const down = step(selectOnly('b'), ORDER, { by: 1, extends: true });
    assert.equal(idsOf(down), 'bc');
    const back = step(down, ORDER, { by: -2, extends: true });
    assert.equal(idsOf(back), 'ab');
    assert.equal(idsOf(selectRange(back, ORDER, 'd')), 'bcd');
  });

  it('begins at the first entry and stops at both ends', () => {
    const first = step(NOTHING_SELECTED, ORDER, { by: 1, extends: false });
    assert.equal(first.activeId, 'a');
    assert.equal(step(first, ORDER, { by: -1, extends: false }).activeId, 'a');
    assert.equal(step(first, ORDER, { by: 99, extends: false }).activeId, 'd');
  });

  it('takes single entries in and out, and all at once', () => {
    assert.equal(idsOf(toggle(toggle(selectOnly('a'), 'c'), 'a')), 'c');
    assert.equal(idsOf(selectAll(ORDER, NOTHING_SELECTED)), 'abcd');
  });

  it('forgets what is not there any more, and only that', () => {
    const all = selectAll(ORDER, selectOnly('b'));
    const left = keepOnly(all, new Set(['a', 'c']));
    assert.equal(idsOf(left), 'ac');
    assert.equal(left.activeId, undefined);
    assert.equal(keepOnly(left, new Set(ORDER)), left);
  });
});
