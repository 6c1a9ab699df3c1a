import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { roundOrder } from './rounds.ts';

describe('the order of the rounds', () => {
  it('gives every server every place once in as many rounds as there are servers', () => {
    const servers = ['a', 'b', 'c', 'd'];
    const rounds = servers.map((_, round) => roundOrder(servers, round));
    for (let place = 0; place < servers.length; place += 1) {
      assert.deepEqual(rounds.map((order) => order[place]).toSorted(), servers);
    }
    for (const order of rounds) assert.deepEqual(order.toSorted(), servers);
  });

  it('has nothing to order without servers', () => {
    assert.deepEqual(roundOrder([], 3), []);
  });
});
