import assert from 'node:assert/strict';
import { it } from 'node:test';
import { placesOf } from './places.ts';

it('the bar of a phone has room for four with "More", and loses nothing', () => {
  for (let count = 0; count <= 9; count += 1) {
    const all = Array.from({ length: count }, (_, at) => at);
    const { inBar, behind } = placesOf(all);
    assert.deepEqual([...inBar, ...behind], all);
    assert.ok(inBar.length + Number(behind.length > 0) <= 4);
    assert.notEqual(behind.length, 1, 'one alone could stand where "More" stands');
  }
});
