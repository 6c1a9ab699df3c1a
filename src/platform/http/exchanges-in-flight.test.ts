import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpExchange } from './exchange.ts';
import { ExchangesInFlight } from './exchanges-in-flight.ts';

const make = (): HttpExchange => ({ place: -1 }) as HttpExchange;

describe('ExchangesInFlight', () => {
  it('holds the same as a set would, whatever is added and removed', () => {
    const list = new ExchangesInFlight();
    const model = new Set<HttpExchange>();
    let seed = 7;
    const next = (below: number): number => {
      seed = (seed * 48271) % 0x7fffffff;
      return seed % below;
    };
    for (let step = 0; step < 3000; step += 1) {
      const known = [...model];
      if (known.length === 0 || (known.length < 40 && next(2) === 0)) {
        const exchange = make();
        list.add(exchange);
        model.add(exchange);
      } else {
        const exchange = known[next(known.length)] ?? make();
        assert.equal(list.delete(exchange), model.delete(exchange));
      }
      assert.equal(list.size, model.size);
      assert.deepEqual(new Set(list.now()), model);
    }
  });

  it('says of one that is over that it was not there', () => {
    const list = new ExchangesInFlight();
    const [first, second] = [make(), make()];
    list.add(first);
    list.add(second);
    assert.equal(list.delete(first), true);
    assert.equal(list.delete(first), false);
    assert.equal(list.delete(make()), false);
    assert.deepEqual(list.now(), [second]);
  });
});
