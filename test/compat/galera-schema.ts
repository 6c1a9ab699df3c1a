/** Changes of the tables on a cluster that is whole, by runners at two of its nodes at once. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  ensureClusterTables,
} from '../../src/platform/cluster/stores/mariadb/cluster-schema.ts';
import { MariadbLeases } from '../../src/platform/cluster/stores/mariadb/mariadb-leases.ts';
import { systemClock } from '../../src/platform/index.ts';
import { withSession } from '../../src/platform/mariadb/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import type { GaleraCluster } from '../../src/platform/mariadb/testing/index.ts';
import { SchemaRunner, findDrift } from '../../src/schema/index.ts';
import type { SchemaShard } from '../../src/schema/index.ts';
import {
  MariadbSchemaTarget,
} from '../../src/schema/stores/mariadb/mariadb-schema-target.ts';
import { openMariadbBook } from '../../src/schema/stores/mariadb/mariadb-schema-book.ts';
import {
  PERSON_CHANGES, PERSON_CONTRACT, PERSON_EXPAND, PERSON_GOLDENS, mariadbFixture,
} from '../../src/schema/testing/index.ts';
import { sleep } from '../support/deadline.ts';

const TURN = 'schema of people';
const ROW_COUNT = 40;
const HELD_MS = 700;

type Shards = readonly [SchemaShard, SchemaShard];

function shardAt(address: ServerAddress, directory: ServerAddress): SchemaShard {
  const open = () => MariadbSchemaTarget.open(address, {
    name: TURN, clock: systemClock,
    openLeases: () => new MariadbLeases({ address: directory, clock: systemClock }),
  });
  return { name: 'people', family: 'metadata', engine: 'mariadb', open };
}

/** The same shard at two nodes, with the table that fixture changes are about; the directory is a
 *  database of its own. */
async function atTwoNodes(cluster: GaleraCluster) {
  const { database: name } = await cluster.makeDatabase('people');
  await cluster.makeDatabase('people_directory');
  const [one, two] = cluster.nodes;
  assert.ok(one !== undefined && two !== undefined);
  const directories = [one, two].map((node) => node.address('people_directory'));
  const [here, there] = directories;
  assert.ok(here !== undefined && there !== undefined);
  await withSession(here, 'schema', ensureClusterTables);
  const fixture = await mariadbFixture(one.address(name));
  const shards: Shards = [shardAt(one.address(name), here), shardAt(two.address(name), there)];
  return { fixture, directories: [here, there] as const, shards };
}

/** While somebody at the first node has the turn, nothing is made at the second. */
async function assertTurns([first, second]: Shards, here: ServerAddress): Promise<void> {
  const leases = new MariadbLeases({ address: here, clock: systemClock });
  const lease = await leases.take(TURN, 'somebody at the first node', 60_000);
  assert.ok(lease !== undefined);
  const [target, look] = [await second.open(), await first.open()];
  let isMade = false;
  const making = target.runStep(PERSON_EXPAND, 0, 1).finally(() => {
    isMade = true;
  });
  await sleep(HELD_MS);
  assert.deepEqual([isMade, await look.listNotes()], [false, []]);
  await leases.release(lease);
  assert.equal(await making, 'made');
  assert.equal(await look.runStep(PERSON_EXPAND, 0, 2), 'known', 'it is seen at once');
  await Promise.all([target.close(), look.close(), leases.close()]);
}

/** As if each had found nothing done: no step was made and not noted when another looked. */
async function assertMadeOnce(shard: SchemaShard): Promise<void> {
  const target = await shard.open();
  const notes = await target.listNotes();
  assert.deepEqual(notes.map(({ changeId, step, how }) => `${changeId} ${step} ${how}`), [
    'person-full-name-gone 0 made', 'person-names 0 made', 'person-names 1 made',
    'person-names-rows 0 made',
  ]);
  await target.close();
  const looked = await findDrift([shard], { changes: PERSON_CHANGES, goldens: PERSON_GOLDENS });
  assert.deepEqual(looked.map(({ drifts, problem }) => [drifts, problem]), [[[], undefined]]);
}

export function testSchemaOnGalera(of: () => GaleraCluster): void {
  it('two runners at two nodes take turns, and bring a shard from the first change to the last',
    async () => {
      const { fixture, directories, shards } = await atTwoNodes(of());
      await fixture.insert(Array.from({ length: ROW_COUNT }, (_, id) => (
        { id, full_name: `Given${id} Family${id}`, form: 0 })));
      await assertTurns(shards, directories[0]);
      const books = await Promise.all(directories.map((address) => openMariadbBook(address)));
      const runners = books.map((book, at) => new SchemaRunner({
        changes: PERSON_CHANGES, shards: shards.slice(at, at + 1), book, clock: systemClock,
        policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond: 10_000 },
      }));
      const ended = await Promise.all(runners.map((runner) => runner.apply()));
      assert.deepEqual(ended.map(({ state, failures }) => [state, failures]),
        [['done', []], ['done', []]]);
      assert.deepEqual((await fixture.readRows()).map((row) => row['given_name']),
        Array.from({ length: ROW_COUNT }, (_, id) => `Given${id}`));
      const last = await Promise.all(runners.map((runner) => runner.contract(PERSON_CONTRACT.id)));
      assert.deepEqual(last.map(({ state, failures, objections }) => [state, failures, objections]),
        [['done', [], []], ['done', [], []]]);
      for (const shard of shards) await assertMadeOnce(shard);
      await Promise.all(books.map((book) => book.close()));
    });
}
