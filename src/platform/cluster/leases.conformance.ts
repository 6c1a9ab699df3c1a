/** The promises of Leases. Every implementation runs them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { Lease, Leases } from './leases.ts';

export interface LeasesUnderTest {
  leases: Leases;
  /** The same leases, as another process sees them. */
  again: () => Promise<Leases>;
  /** Has so much time pass at the store. */
  pass: (ms: number) => void | Promise<void>;
}

const TTL_MS = 60_000;

export function testLeases(name: string, makeEmpty: () => Promise<LeasesUnderTest>): void {
  describe(`${name} keeps the promises of Leases`, () => {
    let test: LeasesUnderTest;
    let one: Leases;
    let two: Leases;
    beforeEach(async () => {
      test = await makeEmpty();
      one = test.leases;
      two = await test.again();
    });
    afterEach(async () => {
      await two.close();
      await one.close();
    });

    const taken = async (leases: Leases, what: string, holder: string): Promise<Lease> => {
      const lease = await leases.take(what, holder, TTL_MS);
      assert.ok(lease !== undefined, `${holder} takes ${what}`);
      return lease;
    };

    it('gives a lease to one at a time, and each name its own', async () => {
      const lease = await taken(one, 'sweep', 'a');
      assert.deepEqual([lease.name, lease.holder], ['sweep', 'a']);
      assert.equal(await two.take('sweep', 'b', TTL_MS), undefined);
      await taken(two, 'count', 'b');
      assert.equal(await two.holds(lease), true);
    });

    it('gives what has run out to the next one, under a greater epoch', async () => {
      const first = await taken(one, 'sweep', 'a');
      await test.pass(TTL_MS - 1_000);
      assert.equal(await two.take('sweep', 'b', TTL_MS), undefined);
      await test.pass(1_001);
      assert.equal(await one.holds(first), false);
      const second = await taken(two, 'sweep', 'b');
      assert.ok(second.epoch > first.epoch);
      assert.equal(await one.renew(first, TTL_MS), false);
      assert.equal(await one.holds(first), false);
      await one.release(first);
      assert.equal(await two.holds(second), true, 'who comes late takes nothing away');
    });

    it('does not bring a lease back that has run out, though nobody has taken it', async () => {
      const lease = await taken(one, 'sweep', 'a');
      await test.pass(TTL_MS + 1);
      assert.equal(await one.renew(lease, TTL_MS), false);
    });

    it('lasts from the last renewal on', async () => {
      const lease = await taken(one, 'sweep', 'a');
      await test.pass(TTL_MS - 1_000);
      assert.equal(await one.renew(lease, TTL_MS), true);
      await test.pass(TTL_MS - 1_000);
      assert.equal(await one.holds(lease), true);
      assert.equal(await two.take('sweep', 'b', TTL_MS), undefined);
    });

    it('goes to others at once when it is released, and never with an epoch again', async () => {
      const epochs: number[] = [];
      for (const holder of ['a', 'b', 'a', 'a']) {
        const lease = await taken(holder === 'a' ? one : two, 'sweep', holder);
        epochs.push(lease.epoch);
        await one.release(lease);
        await one.release(lease);
        assert.equal(await one.holds(lease), false);
      }
      assert.deepEqual(epochs, [...new Set(epochs)].sort((a, b) => a - b));
    });

    it('gives the holder itself a new epoch, which ends the one before', async () => {
      const before = await taken(one, 'sweep', 'a');
      const after = await taken(two, 'sweep', 'a');
      assert.ok(after.epoch > before.epoch);
      assert.equal(await one.renew(before, TTL_MS), false);
      assert.equal(await one.holds(after), true);
    });

    it('gives it to one of many that come at once', async () => {
      const holders = ['a', 'b', 'c', 'd', 'e', 'f'];
      const takes = await Promise.all(holders.map((holder, at) =>
        (at % 2 === 0 ? one : two).take('sweep', holder, TTL_MS)));
      assert.equal(takes.filter((lease) => lease !== undefined).length, 1);
    });

    it('lists what was taken', async () => {
      assert.deepEqual(await one.list(), []);
      const sweep = await taken(one, 'sweep', 'a');
      const count = await taken(one, 'count', 'b');
      await one.release(sweep);
      const listed = await two.list();
      assert.deepEqual(listed.map(({ name: what, holder, epoch }) => [what, holder, epoch]),
        [['count', 'b', count.epoch], ['sweep', 'a', sweep.epoch]]);
      const [left = 0, none = 1] = listed.map(({ leftMs }) => leftMs);
      assert.ok(left > 0 && left <= TTL_MS, `${left} ms are left`);
      assert.ok(none <= 0);
    });

    it('refuses everything once it is closed, and closes calmly twice', async () => {
      const lease = await taken(one, 'sweep', 'a');
      await one.close();
      await one.close();
      for (const act of [() => one.take('sweep', 'a', TTL_MS), () => one.renew(lease, TTL_MS),
        () => one.release(lease), () => one.holds(lease), () => one.list()]) {
        await assert.rejects(act, (error) => isKind(error, 'unavailable'));
      }
    });
  });
}
