/** The promises of LeavingList. Every implementation runs them. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import { GOING_MS } from './leaving-list.ts';
import type { LeavingList } from './leaving-list.ts';

export interface ListUnderTest {
  list: LeavingList;
  pass: (ms: number) => void | Promise<void>;
}

const IDS = ['a', 'b', 'c', 'd'].map((text) => hash('sha256', text) as BlockId).sort();

export function testLeavingList(name: string, makeEmpty: () => Promise<ListUnderTest>): void {
  describe(`${name} keeps the promises of LeavingList`, () => {
    const [one, two, three, four] = IDS as [BlockId, BlockId, BlockId, BlockId];
    let list: LeavingList;
    let pass: ListUnderTest['pass'];
    beforeEach(async () => {
      ({ list, pass } = await makeEmpty());
    });
    afterEach(() => list.close());

    const read = async (): Promise<(readonly [BlockId, number])[]> => {
      const { blocks } = await list.read('s');
      return blocks.map(({ id, round }) => [id, round] as const).sort();
    };

    it('lists blocks under rounds that grow, each store by itself', async () => {
      assert.equal(await list.readRound(), 0);
      assert.deepEqual(await list.read('s'), { round: 0, blocks: [] });
      await list.announce('s', [one, two]);
      const first = await list.readRound();
      await list.announce('t', [one]);
      await list.announce('s', [two, three]);
      const last = await list.readRound();
      assert.ok(first > 0 && last > first);
      assert.deepEqual(await read(), [[one, first], [two, first], [three, last]]);
      assert.equal((await list.read('t')).round, last);
      assert.equal((await list.read('t')).blocks.length, 1);
    });

    it('gives to the collector what nobody has struck off, and each block once', async () => {
      await list.announce('s', IDS);
      const round = await list.readRound();
      assert.deepEqual(await list.strike('s', [two]), []);
      assert.deepEqual((await list.take('s', [two, one, three], round)).sort(), [one, three]);
      assert.deepEqual(await list.take('s', IDS, round), [four]);
      assert.deepEqual(await list.take('s', IDS, round), []);
      assert.deepEqual((await read()).map(([id]) => id), [one, three, four], 'they are going');
    });

    it('gives nothing of a later round, nor of another store', async () => {
      await list.announce('s', [one]);
      const round = await list.readRound();
      await list.announce('s', [two]);
      assert.deepEqual(await list.take('t', [one, two], round), []);
      assert.deepEqual(await list.take('s', [one, two], round), [one]);
    });

    it('tells who needs a block that it is going, until it has left', async () => {
      await list.announce('s', [one, two]);
      await list.take('s', [one], await list.readRound());
      assert.deepEqual(await list.strike('s', [one, two, three]), [one]);
      assert.deepEqual(await list.strike('t', [one]), []);
      await list.left('s', [one]);
      assert.deepEqual(await list.strike('s', [one]), []);
    });

    it('lets a block be put again when its removal cannot happen any more', async () => {
      await list.announce('s', [one]);
      await list.take('s', [one], await list.readRound());
      await pass(GOING_MS - 60_000);
      assert.deepEqual(await list.strike('s', [one]), [one]);
      await pass(61_000);
      assert.deepEqual(await list.strike('s', [one]), []);
    });

    it('does not announce anew what is going', async () => {
      await list.announce('s', [one]);
      await list.take('s', [one], await list.readRound());
      await list.announce('s', [one]);
      assert.deepEqual(await list.strike('s', [one]), [one]);
      assert.deepEqual(await list.take('s', [one], await list.readRound()), []);
    });

    it('forgets what a round has announced, but not what is going', async () => {
      await list.announce('s', [one, two]);
      const round = await list.readRound();
      await list.announce('s', [three]);
      await list.take('s', [one], round);
      await list.prune('s', round);
      assert.deepEqual((await read()).map(([id]) => id).sort(), [one, three].sort());
      assert.deepEqual(await list.strike('s', [one, two]), [one]);
    });

    it('lets one of two have a block that both want at once', async () => {
      for (let time = 0; time < 8; time += 1) {
        await list.announce('s', IDS);
        const round = await list.readRound();
        const [taken, going] = await Promise.all([
          list.take('s', IDS, round), list.strike('s', [one]),
        ]);
        assert.equal(taken.includes(one), going.includes(one), 'both say the same of it');
        await list.left('s', taken);
      }
    });

    it('refuses everything once it is closed, and closes calmly twice', async () => {
      await list.close();
      await list.close();
      for (const act of [() => list.announce('s', IDS), () => list.read('s'),
        () => list.readRound(), () => list.take('s', IDS, 1), () => list.strike('s', IDS)]) {
        await assert.rejects(act, (error) => isKind(error, 'unavailable'));
      }
    });
  });
}
