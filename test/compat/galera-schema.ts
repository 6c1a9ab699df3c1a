/** Changes of the tables on a cluster that is whole, by runners at two of its nodes at once. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
import { eventually, sleep } from '../support/deadline.ts';
import { RunningCommand } from '../support/command.ts';

const TURN = 'schema of people';
const ROW_COUNT = 40;
const HELD_MS = 700;
const WAIT_MS = 60_000;
const PROGRAM = join(import.meta.dirname, './sleeping-runner.ts');

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
async function atTwoNodes(cluster: GaleraCluster, name: string) {
  await cluster.makeDatabase(name);
  await cluster.makeDatabase(`${name}_directory`);
  const [one, two] = cluster.nodes;
  assert.ok(one !== undefined && two !== undefined);
  const directories = [one, two].map((node) => node.address(`${name}_directory`));
  const [here, there] = directories;
  assert.ok(here !== undefined && there !== undefined);
  await withSession(here, 'schema', ensureClusterTables);
  const fixture = await mariadbFixture(one.address(name));
  const addresses = [one.address(name), two.address(name)] as const;
  const shards: Shards = [shardAt(addresses[0], here), shardAt(addresses[1], there)];
  return { fixture, directories: [here, there] as const, addresses, shards };
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

/** Makes the first change of a shard in a process of its own, which stands still on the way. */
async function stoppedRunner(
  address: ServerAddress, directory: ServerAddress, place: string,
): Promise<RunningCommand> {
  const slept = new RunningCommand(process.execPath, [
    PROGRAM, JSON.stringify({ address, directory, name: TURN, place }),
  ]);
  const state = (): string => readFileSync(`/proc/${slept.pid}/status`, 'utf8');
  await eventually(WAIT_MS, 'it stands still', () => /^State:\tT/m.test(state()));
  return slept;
}

/** While a runner sleeps at a place others go on; then it alters nothing, as `ended` says. */
async function assertSleeps(
  cluster: GaleraCluster, [place, ended]: readonly [string, RegExp],
  meanwhile: (address: ServerAddress, directory: ServerAddress) => Promise<void>,
): Promise<void> {
  const { directories: [here, there], addresses: [one, two], shards: [shard] } = await atTwoNodes(
    cluster, `asleep_${place}`);
  const slept = await stoppedRunner(one, here, place);
  try {
    await meanwhile(two, there);
    slept.kill('SIGCONT');
    await slept.printed(ended, WAIT_MS);
    const target = await shard.open();
    const [person] = await target.readCatalogue();
    assert.deepEqual(person?.columns.map(({ name }) => name), ['id', 'full_name', 'form']);
    await target.close();
  } finally {
    slept.kill('SIGKILL');
    await slept.end(WAIT_MS);
  }
}

function testSleepingRunners(of: () => GaleraCluster): void {
  it('a runner that slept with a statement in hand does not say it when others had the turn', () =>
    assertSleeps(of(), ['statement', /^ended unavailable/m], async (address, directory) => {
      const target = await shardAt(address, directory).open();
      assert.equal(await target.runStep(PERSON_EXPAND, 0, 1), 'made', 'who is awake goes on');
      await target.close();
      // As a change does that takes away what was added.
      await withSession(address, 'schema', (session) =>
        session.run('ALTER TABLE person DROP COLUMN given_name'));
    }));

  it('a runner that slept when it had just got the turn alters nothing while others have it', () =>
    assertSleeps(of(), ['turn', /^ended unavailable/m], async (_, directory) => {
      const leases = new MariadbLeases({ address: directory, clock: systemClock });
      await eventually(WAIT_MS, 'the turn runs out', async () =>
        await leases.take(TURN, 'somebody at the second node', WAIT_MS) !== undefined);
      await leases.close();
    }));
}

export function testSchemaOnGalera(of: () => GaleraCluster): void {
  testSleepingRunners(of);
  it('two runners at two nodes take turns, and bring a shard from the first change to the last',
    async () => {
      const { fixture, directories, shards } = await atTwoNodes(of(), 'people');
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
