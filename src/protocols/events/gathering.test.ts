import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ManualClock } from '../../platform/index.ts';
import { Gathering } from './gathering.ts';

async function turn(): Promise<void> {
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
}

it('those who are woken together go on together, in groups, and later ones wait for the next time',
  async () => {
    const clock = new ManualClock(0);
    const gathering = new Gathering(clock);
    let count = 0;
    const join = async (): Promise<void> => {
      await gathering.join();
      count += 1;
    };
    const joined = Array.from({ length: 300 }, join);
    clock.advance(19);
    await turn();
    assert.equal(count, 0);
    clock.advance(1);
    joined.push(join());
    await turn();
    assert.equal(count, 128, 'between groups the process does other things');
    clock.advance(1);
    clock.advance(1);
    await turn();
    assert.equal(count, 300);
    clock.advance(18);
    await Promise.all(joined);
    assert.equal(count, 301);
  });
