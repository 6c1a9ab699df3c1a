import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { SpaceId } from '../base/ids.ts';
import { ManualClock } from '../platform/index.ts';
import type { HintPage } from '../platform/index.ts';
import { ChangeExchange } from './change-exchange.ts';

/** Hints in memory, as two web nodes see them. */
class PaperHints {
  readonly told: number[] = [];
  tellCount = 0;
  isBroken = false;

  async tell(spaces: readonly number[]): Promise<void> {
    this.tellCount += 1;
    if (this.isBroken) throw new Error('no answer');
    this.told.push(...spaces);
  }

  async read(after: number | undefined): Promise<HintPage> {
    const next = this.told.length;
    return { spaces: after === undefined ? [] : this.told.slice(after), next };
  }

  async prune(): Promise<void> {
    // Nothing is old here.
  }

  async close(): Promise<void> {
    // Nothing is open here.
  }
}

describe('ChangeExchange', () => {
  const [one, two] = [1, 2] as [SpaceId, SpaceId];
  let clock: ManualClock;
  let hints: PaperHints;
  let revs: Map<SpaceId, number>;
  let heard: SpaceId[];
  let troubles: unknown[];
  beforeEach(() => {
    clock = new ManualClock(0);
    hints = new PaperHints();
    revs = new Map([[one, 1], [two, 1]]);
    heard = [];
    troubles = [];
  });

  const exchange = (): ChangeExchange => new ChangeExchange({
    hints, clock, watched: () => [one],
    metadata: { getSpace: async (id) => ({ rev: revs.get(id) }) as never },
    onChanged: (space) => heard.push(space), onRead: async () => undefined,
    onTrouble: (error) => troubles.push(error),
  });

  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(50);
      await new Promise(setImmediate);
    }
  };

  it('tells many changes of a moment at once, and hears those of others', async () => {
    const [here, there] = [exchange(), exchange()];
    there.start();
    await pass(100);
    for (let time = 0; time < 50; time += 1) here.changed(time % 2 === 0 ? one : two);
    await pass(1_000);
    assert.equal(hints.tellCount, 1);
    assert.deepEqual(heard, [one, two]);
    await here.stop();
    await there.stop();
  });

  it('tells four times a second at most, however many changes there are', async () => {
    const here = exchange();
    for (let time = 0; time < 20; time += 1) {
      here.changed(one);
      await pass(50);
    }
    assert.equal(hints.tellCount, 4);
    await here.stop();
    assert.deepEqual(new Set(hints.told), new Set([one]));
  });

  it('finds a change of which nobody told, in the journal of a space waited for', async () => {
    const here = exchange();
    here.start();
    await pass(6_000);
    revs.set(one, 2);
    revs.set(two, 2);
    await pass(6_000);
    assert.deepEqual(heard, [one]);
    await here.stop();
  });

  it('goes on after an error, and tells what is left when it ends', async () => {
    const here = exchange();
    here.start();
    hints.isBroken = true;
    here.changed(one);
    await pass(500);
    assert.equal(troubles.length, 1);
    hints.isBroken = false;
    here.changed(two);
    await here.stop();
    assert.deepEqual(hints.told, [two]);
  });
});
