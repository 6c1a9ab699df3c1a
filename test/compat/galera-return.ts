/**
 * Two web nodes' stores on a cluster, which go back to the first database node at different times,
 * while callers write and one of them looks through the other store after each of its changes.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { isKind } from '../../src/base/errors.ts';
import type { NodeRecord } from '../../src/metadata/index.ts';
import {
  AcknowledgedLoad, assertConsistent, Hand, MariadbMetadataStore,
} from '../../src/metadata/stores/mariadb/testing/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import {
  ensureClusterTables,
} from '../../src/platform/cluster/stores/mariadb/cluster-schema.ts';
import { MariadbLeases } from '../../src/platform/cluster/stores/mariadb/mariadb-leases.ts';
import { newChoice, withSession } from '../../src/platform/mariadb/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import type { GaleraCluster, GaleraNode } from '../../src/platform/mariadb/testing/index.ts';
import { eventually } from '../support/deadline.ts';

const WAIT_MS = 60_000;
/** The second stays on the other node for a while when the first has gone. */
const RETURN_AFTER_MS = [1_500, 3_500] as const;
const PLAIN_RETURN_MS = 1_000;
/** What a planned return may take: as a fail-over. */
const GAP_MAX_MS = 3_000;
/** A machine with more to do than it can makes everybody wait, also where nothing changes. */
const BUSY_FACTOR = 3;
/** In one transaction: so that a node that has to carry it out is behind by tenths of a second. */
const LONG_ROWS = 4_000;

interface WebNode {
  address: ServerAddress;
  hand: Hand;
}

/** Writes through one store and looks through the other, which may be on another database node. */
class ActingClient {
  readonly #nodes: readonly [WebNode, WebNode];
  readonly #folders: readonly [NodeRecord, NodeRecord];
  readonly #work: Promise<void>[];
  lookCount = 0;
  refusedCount = 0;
  /** Looks while the two stores were on different database nodes. */
  apartCount = 0;
  #isOver = false;

  constructor(nodes: readonly [WebNode, WebNode], folders: readonly [NodeRecord, NodeRecord]) {
    this.#nodes = nodes;
    this.#folders = folders;
    const [one, two] = nodes;
    const [first, second] = this.#folders;
    this.#work = [this.#act(one, two, first), this.#act(two, one, second)];
  }

  async #act(writer: WebNode, reader: WebNode, folder: NodeRecord): Promise<void> {
    for (let n = 0; !this.#isOver; n += 1) {
      try {
        const file = await writer.hand.put(folder.id, 'again and again', n);
        await this.#look(reader.hand, file, folder);
        this.lookCount += 1;
        if (placeOf(writer) !== placeOf(reader)) this.apartCount += 1;
      } catch (error) {
        if (!isKind(error, 'unavailable') && !isKind(error, 'busy')) throw error;
        this.refusedCount += 1;
      }
    }
  }

  /** With a snapshot; then one question by itself, which would wait for what the other misses. */
  async #look({ store, space }: Hand, file: NodeRecord, folder: NodeRecord): Promise<void> {
    const where = `on ${this.#nodes.map(placeOf).join(' and ')}`;
    const rev = file.contentRev;
    for await (const page of store.listFolder(space.id, folder.id)) {
      assert.deepEqual(page.map((entry) => entry.contentRev), [rev], `in its folder, ${where}`);
    }
    const chain = await store.findChain(space.id, file.id);
    assert.equal(chain?.at(-1)?.contentRev, rev, `the file is the newest, ${where}`);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }
}

function placeOf({ address: { choice } }: WebNode): number {
  assert.ok(choice !== undefined);
  return new Int32Array(choice)[0] ?? -1;
}

async function writeLong(node: GaleraNode): Promise<void> {
  await node.query(`USE way_back; REPLACE INTO behind
    SELECT seq, REPEAT(SHA1(RAND()), 4) FROM seq_1_to_${LONG_ROWS}`);
}

/** The first node dies and comes back; all nodes are alive when this begins and ends. */
export async function testReturn(
  { cluster, comeBack }: { cluster: GaleraCluster; comeBack: (node: GaleraNode) => Promise<void> },
  t: TestContext,
): Promise<void> {
  const [first, second] = cluster.nodes;
  assert.ok(first !== undefined && second !== undefined);
  const base = await cluster.makeDatabase('way_back');
  const webNodes = await Promise.all(RETURN_AFTER_MS.map(async (returnAfterMs) => {
    const address = { ...base, returnAfterMs, choice: newChoice() };
    const store = await MariadbMetadataStore.open({ address, create: true });
    return { address, hand: await Hand.on(store) };
  }));
  const [one, two] = webNodes;
  assert.ok(one !== undefined && two !== undefined);
  const folders = [
    await one.hand.folder(one.hand.root, 'seen by the other'),
    await one.hand.folder(one.hand.root, 'and the other way round'),
  ] as const;
  // Each in a space of its own, of which it knows all.
  const hands = await Promise.all(webNodes.map(({ hand }, n) =>
    Hand.on(hand.store, { owner: `writer${n}` })));
  const loads = webNodes.map((webNode, n) => new AcknowledgedLoad(hands[n] ?? webNode.hand,
    { callerCount: 3, nodeInUse: () => `node${placeOf(webNode) + 1}` }));
  await second.query('CREATE TABLE way_back.behind (id INTEGER PRIMARY KEY, text VARCHAR(200))');
  const client = new ActingClient([one, two], folders);
  try {
    const places = (): number[] => webNodes.map(placeOf);
    await first.kill();
    await eventually(WAIT_MS, 'both have left it', async () => !places().includes(0));
    await comeBack(first);
    await first.query('SET GLOBAL wsrep_desync = ON');
    const desyncedMs = systemClock.monotonic();
    await Promise.all(loads.map((load) => load.more(30)));
    for (const load of loads) load.takeLongestGapMs();
    do await writeLong(second);
    while (systemClock.monotonic() < desyncedMs + RETURN_AFTER_MS[1] + 1_000);
    assert.ok(!places().includes(0), 'nobody goes to a node that is not in step');
    const usualGapMs = Math.max(...loads.map((load) => load.takeLongestGapMs()));
    const outMs = Math.round(systemClock.monotonic() - desyncedMs);
    t.diagnostic(`out of step for ${outMs} ms, longest gap ${Math.round(usualGapMs)} ms`);
    const refusedBefore = client.refusedCount;
    await first.query('SET GLOBAL wsrep_desync = OFF');
    const sinceMs = systemClock.monotonic();
    while (places().some((place) => place !== 0)) {
      assert.ok(systemClock.monotonic() - sinceMs < WAIT_MS, `still on ${places().join(', ')}`);
      await writeLong(second);
    }
    t.diagnostic(`both are back after ${Math.round(systemClock.monotonic() - sinceMs)} ms`);
    await Promise.all(loads.map((load) => load.more(50)));
    for (const load of loads) {
      const gapMs = load.takeLongestGapMs();
      t.diagnostic(`longest gap ${Math.round(gapMs)} ms`);
      assert.ok(gapMs <= Math.max(GAP_MAX_MS, usualGapMs * BUSY_FACTOR),
        `nothing was acknowledged for ${gapMs} ms, and before for ${usualGapMs} ms`);
    }
    assert.equal(client.refusedCount, refusedBefore, 'nobody was refused anything by the return');
    t.diagnostic(`${client.lookCount} looks, ${client.apartCount} while on two nodes`);
    assert.ok(client.apartCount > 0, 'the two were apart, or nothing is proved');
  } finally {
    await Promise.all([client.stop(), ...loads.map((load) => load.stop())]);
  }
  for (const load of loads) {
    await load.assertKept();
    load.assertCalmRefusals();
  }
  await assertConsistent(one.hand.store, one.hand.space.id);
  await Promise.all(webNodes.map(({ hand }) => hand.store.close()));
}

/** One process that was on the second node for whatever reason: nobody else writes meanwhile, and
 *  nobody has to die. Each of its changes is one more than the one before. */
export async function testPlainReturn(cluster: GaleraCluster): Promise<void> {
  const [first, second] = cluster.nodes;
  assert.ok(first !== undefined && second !== undefined);
  const { database } = await cluster.makeDatabase('plain_way_back');
  await eventually(WAIT_MS, 'the second one has it too', async () =>
    (await second.query(`SHOW DATABASES LIKE '${database}'`)).length > 0);
  await withSession(second.address(database), 'schema', ensureClusterTables);
  await first.query('SET GLOBAL wsrep_desync = ON');
  const choice = newChoice();
  const place = new Int32Array(choice, 0, 1);
  place[0] = 1;
  const address = { ...cluster.addressOf(database), returnAfterMs: PLAIN_RETURN_MS, choice };
  const leases = new MariadbLeases({ address, clock: systemClock });
  let epoch = 0;
  const goOn = async (forMs: number): Promise<void> => {
    for (const endMs = systemClock.monotonic() + forMs; systemClock.monotonic() < endMs;) {
      const lease = await leases.take('counted', 'the same', WAIT_MS);
      epoch += 1;
      assert.equal(lease?.epoch, epoch, `on node${(place[0] ?? 0) + 1}`);
    }
  };
  await goOn(2 * PLAIN_RETURN_MS);
  assert.equal(place[0], 1, 'nobody goes to a node that is not in step');
  await first.query('SET GLOBAL wsrep_desync = OFF');
  await eventually(WAIT_MS, 'it is back', async () => {
    await goOn(100);
    return place[0] === 0;
  });
  await goOn(100);
  await leases.close();
}
