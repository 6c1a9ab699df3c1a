/** The promises of ShardDirectory. Every implementation and every wrapper runs them. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { SpaceId, TenantId } from '../../base/ids.ts';
import { DEFAULT_TENANT, parseTenantId } from '../../base/ids.ts';
import { NOON, refused } from '../conformance/hand.ts';
import { SHARD_NUMBER_MAX, firstIdOf, shardOfId } from '../shard-number.ts';
import { FIRST_SHARD } from './shard-directory.ts';
import type { NewShard, ShardDirectory } from './shard-directory.ts';

const ACME = parseTenantId('acme');
const BYTE = parseTenantId('byte');

function mariadb(name: string): NewShard {
  return {
    name, url: `mariadb://holdfast@db-${name}:3306/holdfast`, at: NOON,
    passwordPath: `/etc/holdfast/${name}`,
  };
}

function spaces(...ids: number[]): SpaceId[] {
  return ids as SpaceId[];
}

export function testShardDirectory(name: string, makeEmpty: () => Promise<ShardDirectory>): void {
  describe(`${name} keeps the promises of ShardDirectory`, () => {
    let directory: ShardDirectory;
    beforeEach(async () => {
      directory = await makeEmpty();
    });
    afterEach(async () => {
      await directory.close();
    });
    testShards(() => directory);
    testPlaces(() => directory);

    it('changes its number of changes with every change, and with nothing else', async () => {
      const seen = [await directory.readRev()];
      const steps: (() => Promise<unknown>)[] = [
        () => directory.addShard(mariadb('one')), () => directory.place(ACME, 1),
        () => directory.movePlace({ tenant: ACME, epochWas: 0, shard: 0, spaces: [] }),
        () => directory.setShardState(1, 'draining'),
      ];
      for (const step of steps) {
        await step();
        seen.push(await directory.readRev());
      }
      assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
      assert.equal(new Set(seen).size, seen.length);
      await directory.place(ACME, 0);
      await directory.setShardState(1, 'draining');
      await refused(directory.place(BYTE, 1), 'conflict', 'shard-draining');
      assert.equal(await directory.readRev(), seen.at(-1));
      assert.equal((await directory.read()).rev, seen.at(-1));
    });

    it('refuses everything once it is closed, and closes calmly twice', async () => {
      await directory.close();
      await directory.close();
      await refused(directory.read(), 'unavailable');
      await refused(directory.place(ACME, 0), 'unavailable');
    });
  });
}

function testShards(directory: () => ShardDirectory): void {
  it('begins with shard 0, and numbers others in the order in which they come', async () => {
    const there = await directory().read();
    assert.deepEqual([there.shards, there.places, there.movedSpaces], [[FIRST_SHARD], [], []]);
    const one = await directory().addShard(mariadb('one'));
    assert.deepEqual(one, {
      number: 1, name: 'one', url: 'mariadb://holdfast@db-one:3306/holdfast', state: 'open',
      passwordPath: '/etc/holdfast/one', madeAt: NOON,
    });
    const file = { name: 'two', url: 'sqlite:shards/two.db', passwordPath: undefined, at: NOON };
    const two = await directory().addShard(file);
    assert.deepEqual((await directory().read()).shards, [FIRST_SHARD, one, two]);
  });

  it('puts nobody on a shard whose database is not there yet', async () => {
    assert.equal((await directory().addShard({ ...mariadb('one'), state: 'making' })).state,
      'making');
    await refused(directory().place(ACME, 1), 'conflict', 'shard-draining');
    const move = { tenant: ACME, epochWas: 0, shard: 1, spaces: [] };
    await refused(directory().movePlace(move), 'conflict', 'shard-draining');
    await directory().setShardState(1, 'open');
    await directory().movePlace(move);
    await refused(directory().setShardState(1, 'making'), 'invalid', 'shard-state');
  });

  it('gives many that come at once a number each', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const made = await Promise.all(names.map((name) => directory().addShard(mariadb(name))));
    assert.deepEqual(made.map(({ number }) => number).toSorted(), [1, 2, 3, 4, 5, 6]);
  });

  it('gives no number twice, nor a name or a database to two', async () => {
    await directory().addShard(mariadb('one'));
    await directory().setShardState(1, 'closed');
    for (const wrong of [{ ...mariadb('one'), url: mariadb('two').url },
      { ...mariadb('one'), name: 'two' }]) {
      await refused(directory().addShard(wrong), 'exists', 'shard-exists');
    }
    assert.equal((await directory().addShard(mariadb('two'))).number, 2);
  });

  it('refuses names and addresses that break a rule, and passwords in them', async () => {
    for (const name of ['', 'One', '1one', 'x'.repeat(33), 'a b']) {
      await refused(directory().addShard({ ...mariadb('one'), name }), 'invalid', 'shard-name');
    }
    for (const url of ['', 'db-one', 'http://a@b/c', 'mariadb://db-one/holdfast', 'sqlite:',
      'mariadb://holdfast@db-one', 'sqlite:/etc/passwd', 'sqlite:a/../../b']) {
      await refused(directory().addShard({ ...mariadb('one'), url }), 'invalid', 'shard-url');
    }
    const url = 'mariadb://holdfast:secret@db-one/holdfast';
    const error = await refused(
      directory().addShard({ ...mariadb('one'), url }), 'invalid', 'shard-url-password');
    assert.doesNotMatch(error.message, /secret/);
  });

  it('closes a shard for good, but none with tenants, nor shard 0', async () => {
    await directory().addShard(mariadb('one'));
    await directory().place(ACME, 1);
    await refused(directory().setShardState(1, 'closed'), 'conflict', 'shard-in-use');
    assert.equal((await directory().setShardState(1, 'draining')).state, 'draining');
    await directory().movePlace({ tenant: ACME, epochWas: 0, shard: 0, spaces: [] });
    assert.equal((await directory().setShardState(1, 'closed')).state, 'closed');
    await refused(directory().setShardState(1, 'open'), 'conflict', 'shard-closed');
    await refused(directory().setShardState(0, 'closed'), 'denied', 'shard-first');
    await refused(directory().setShardState(7, 'open'), 'not-found', 'shard-missing');
  });
}

function testPlaces(directory: () => ShardDirectory): void {
  it('gives a tenant one place, however many ask at once', async () => {
    await directory().addShard(mariadb('one'));
    const asked = [0, 1, 1, 0, 1].map((shard) => directory().place(ACME, shard));
    const [first, ...others] = await Promise.all(asked);
    assert.ok(first !== undefined);
    for (const other of others) assert.deepEqual(other, first);
    assert.equal(first.epoch, 0);
    const second = await directory().place(DEFAULT_TENANT, 0);
    assert.deepEqual((await directory().read()).places, [first, second]);
  });

  it('places nobody where nobody may come', async () => {
    await refused(directory().place(ACME, 1), 'not-found', 'shard-missing');
    await directory().addShard(mariadb('one'));
    await directory().setShardState(1, 'draining');
    await refused(directory().place(ACME, 1), 'conflict', 'shard-draining');
    await directory().setShardState(1, 'closed');
    await refused(directory().place(ACME, 1), 'conflict', 'shard-closed');
    assert.deepEqual((await directory().read()).places, []);
  });

  it('moves a tenant with its next epoch, and knows its spaces as moved', async () => {
    await directory().addShard(mariadb('one'));
    await directory().place(ACME, 1);
    const there = { tenant: ACME, epochWas: 0, shard: 0, spaces: spaces(9, 7) };
    const moved = { tenant: ACME, shard: 0, epoch: 1 };
    assert.deepEqual(await directory().movePlace(there), moved);
    assert.deepEqual(await directory().movePlace(there), moved, 'asked for once more');
    const back = { tenant: ACME, epochWas: 1, shard: 1, spaces: spaces(7, 8, 9) };
    await directory().movePlace(back);
    const { places, movedSpaces } = await directory().read();
    assert.deepEqual(places, [{ tenant: ACME, shard: 1, epoch: 2 }]);
    assert.deepEqual(movedSpaces, spaces(7, 8, 9).map((spaceId) => ({ spaceId, tenant: ACME })));
  });

  it('moves nobody whose epoch is another than the mover has seen', async () => {
    await directory().addShard(mariadb('one'));
    await directory().addShard(mariadb('two'));
    const move = (shard: number, epochWas: number, tenant: TenantId = BYTE) =>
      directory().movePlace({ tenant, epochWas, shard, spaces: spaces(3) });
    const ends = await Promise.allSettled([move(1, 0), move(2, 0)]);
    const failed = ends.filter((end) => end.status === 'rejected');
    assert.equal(failed.length, 1, 'of two at once');
    await refused(move(0, 0), 'conflict', 'place-changed');
    await refused(move(0, 5), 'conflict', 'place-changed');
    await refused(move(9, 1), 'not-found', 'shard-missing');
    const { places } = await directory().read();
    assert.equal(places[0]?.epoch, 1);
  });
}

describe('The numbers of shards', () => {
  it('tell for every id who has given it', () => {
    for (const shard of [0, 1, 2, 77, SHARD_NUMBER_MAX]) {
      const first = firstIdOf(shard);
      const last = firstIdOf(shard + 1) - 1;
      assert.ok(Number.isSafeInteger(last));
      assert.deepEqual([shardOfId(first), shardOfId(last)], [shard, shard]);
      assert.equal(shardOfId(last + 1), shard + 1);
    }
  });
});
