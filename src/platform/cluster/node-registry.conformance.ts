/** The promises of NodeRegistry. Every implementation runs them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { NODE_AWAITED_MS, NODE_DEAD_MS, quietRoundOf } from './node-registry.ts';
import type { NodeEntry, NodeRegistry } from './node-registry.ts';

export interface RegistryUnderTest {
  nodes: NodeRegistry;
  pass: (ms: number) => void | Promise<void>;
}

const A: NodeEntry = { name: 'a', incarnation: 'a-1', version: '1.0.0', place: 'one:/srv' };
const B: NodeEntry = { name: 'b', incarnation: 'b-1', version: '1.1.0', place: 'two:/srv' };

export function testNodeRegistry(name: string, makeEmpty: () => Promise<RegistryUnderTest>): void {
  describe(`${name} keeps the promises of NodeRegistry`, () => {
    let nodes: NodeRegistry;
    let pass: RegistryUnderTest['pass'];
    beforeEach(async () => {
      ({ nodes, pass } = await makeEmpty());
    });
    afterEach(() => nodes.close());

    const names = async (): Promise<string[]> => (await nodes.list()).map((node) => node.name);

    it('lists the nodes by name, and for how long each was silent', async () => {
      assert.deepEqual(await nodes.list(), []);
      await nodes.enter(B, 3);
      await nodes.enter(A, 5);
      await pass(60_000);
      assert.equal(await nodes.beat(A, 7), true);
      const [a, b] = await nodes.list();
      assert.ok(a !== undefined && b !== undefined);
      const { startedAtMs, silentMs, ...entry } = a;
      assert.deepEqual(entry, { ...A, quietRound: 7 });
      assert.ok(startedAtMs > 0 && silentMs < 30_000);
      assert.ok(b.silentMs >= 60_000 && b.quietRound === 3);
      assert.equal(quietRoundOf([a, b]), 3);
      await pass(NODE_AWAITED_MS - 30_000);
      await nodes.beat(A, 8);
      assert.equal(quietRoundOf(await nodes.list()), 8, 'a day later it is waited for no more');
    });

    it('refuses a name that is alive in another place, until that one is dead', async () => {
      await nodes.enter(A, 0);
      const other = { ...A, incarnation: 'a-2', place: 'two:/srv' };
      await assert.rejects(nodes.enter(other, 0), (error) =>
        error instanceof HoldfastError && error.code === 'node-name-taken');
      assert.equal(await nodes.beat(A, 0), true);
      await pass(NODE_DEAD_MS + 1_000);
      await nodes.enter(other, 0);
      assert.equal(await nodes.beat(A, 0), false);
      assert.equal(await nodes.beat(other, 0), true);
    });

    it('takes a process in the same place for the next one at once', async () => {
      await nodes.enter(A, 9);
      const next = { ...A, incarnation: 'a-2', version: '1.2.0' };
      await nodes.enter(next, 1);
      assert.equal(await nodes.beat(A, 9), false);
      const [{ version, quietRound } = { version: '', quietRound: -1 }] = await nodes.list();
      assert.deepEqual([version, quietRound], ['1.2.0', 1]);
    });

    it('forgets who has left, and nobody in whose place another one is', async () => {
      await nodes.enter(A, 0);
      await nodes.enter(B, 0);
      await nodes.leave(B);
      await nodes.leave(B);
      await nodes.leave({ ...A, incarnation: 'a-0' });
      assert.deepEqual(await names(), ['a']);
      assert.equal(await nodes.beat(B, 0), false);
    });

    it('refuses everything once it is closed, and closes calmly twice', async () => {
      await nodes.close();
      await nodes.close();
      for (const act of [() => nodes.enter(A, 0), () => nodes.beat(A, 0), () => nodes.leave(A),
        () => nodes.list()]) {
        await assert.rejects(act, (error) => isKind(error, 'unavailable'));
      }
    });
  });
}
