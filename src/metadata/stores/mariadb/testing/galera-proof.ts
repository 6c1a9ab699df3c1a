/**
 * A store on three nodes of a Galera cluster, of which some die, hang and come back while callers
 * write. What an operator has to do is taken from docs/runbooks/galera-node-lost.md.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { serverFault, Session } from '../../../../platform/mariadb/index.ts';
import { GaleraCluster } from '../../../../platform/mariadb/testing/index.ts';
import type { GaleraNode } from '../../../../platform/mariadb/testing/index.ts';
import { systemClock } from '../../../../platform/index.ts';
import { Hand, refused } from '../../../conformance/hand.ts';
import { assertConsistent } from '../../../conformance/replay.ts';
import { MariadbMetadataStore } from '../mariadb-metadata-store.ts';
import { AcknowledgedLoad } from './acknowledged-load.ts';

/** What the issue of a dead node may cost, with the settings of the runbook. */
const GAP_MAX_MS = 3_000;

const runbook = readFileSync(
  new URL('../../../../../docs/runbooks/galera-node-lost.md', import.meta.url), 'utf8');

/** What the runbook says to type. */
function stepOf(pattern: RegExp): string {
  const [found] = pattern.exec(runbook) ?? [];
  assert.ok(found !== undefined, `the runbook says ${String(pattern)}`);
  return found;
}

let cluster: GaleraCluster;
let store: MariadbMetadataStore;
let h: Hand;
let load: AcknowledgedLoad;
before(async () => {
  cluster = await GaleraCluster.start();
  store = await MariadbMetadataStore.open({
    address: await cluster.makeDatabase('metadata'), create: true,
  });
  h = await Hand.on(store);
  load = new AcknowledgedLoad(h);
});
after(async () => {
  await load?.stop();
  await store?.close();
  await cluster?.stop();
});

async function connectionCount(node: GaleraNode): Promise<number> {
  return Number(await node.query(`SELECT COUNT(*) FROM information_schema.processlist
    WHERE db = 'metadata'`));
}

/** The node that the writer and the readers are connected with. */
async function nodeInUse(...hanging: GaleraNode[]): Promise<GaleraNode> {
  for (const node of cluster.nodes) {
    if (!hanging.includes(node) && await connectionCount(node) > 0) return node;
  }
  throw new Error('no node is in use');
}

async function otherNodes(): Promise<[GaleraNode, GaleraNode]> {
  const used = await nodeInUse();
  const [first, second] = cluster.nodes.filter((node) => node !== used);
  assert.ok(first !== undefined && second !== undefined);
  return [first, second];
}

/** Everybody is there again, and has everything. */
async function whenWhole(): Promise<void> {
  for (const node of cluster.nodes) await node.whenSynced();
}

async function goesOn(t: TestContext): Promise<void> {
  await load.more(100);
  const gapMs = load.takeLongestGapMs();
  t.diagnostic(`longest gap ${Math.round(gapMs)} ms`);
  assert.ok(gapMs <= GAP_MAX_MS, `nothing was acknowledged for ${gapMs} ms`);
}

describe('A store on a Galera cluster, while callers write', () => {
  it('is spoken to on one node alone', async () => {
    await load.more(100);
    for (const node of await otherNodes()) assert.equal(await connectionCount(node), 0);
    load.takeLongestGapMs();
  });

  it('goes on within 3 s when the node in use is killed, which comes back with what it lacks',
    async (t) => {
      const node = await nodeInUse();
      await node.kill();
      await goesOn(t);
      await node.beginAgain();
      await node.whenSynced();
      assert.match(node.log, /Receiving IST/);
      await load.more(50);
      load.takeLongestGapMs();
    });

  it('goes on within 3 s when another node hangs', async (t) => {
    const [node] = await otherNodes();
    node.signal('SIGSTOP');
    try {
      await goesOn(t);
    } finally {
      node.signal('SIGCONT');
    }
    await whenWhole();
    load.takeLongestGapMs();
  });

  it('goes on within 3 s when the node in use hangs, and what that had in hand is not done twice',
    async (t) => {
      const node = await nodeInUse();
      node.signal('SIGSTOP');
      try {
        await goesOn(t);
        await nodeInUse(node);
      } finally {
        node.signal('SIGCONT');
      }
      await whenWhole();
      await load.more(50);
      load.takeLongestGapMs();
    });

  it('refuses reads and writes as unavailable on a survivor without a majority, until an operator '
    + 'declares it to be the cluster', async (t) => {
    const used = await nodeInUse();
    const [other, survivor] = await otherNodes();
    await Promise.all([used.kill(), other.kill()]);
    await load.moreRefusals(1);
    const { count } = load;
    await refused(h.names(h.root), 'unavailable');
    await refused(store.getSpace(h.space.id), 'unavailable');
    await load.moreRefusals(1);
    assert.equal(load.count, count, 'nothing was acknowledged');
    assert.match(await survivor.query(stepOf(/SHOW GLOBAL STATUS LIKE 'wsrep_cluster_status'/)),
      /non-Primary/);

    await survivor.query(stepOf(/SET GLOBAL wsrep_provider_options = 'pc\.bootstrap=YES'/));
    const begunMs = systemClock.monotonic();
    await load.more(1);
    t.diagnostic(`goes on ${Math.round(systemClock.monotonic() - begunMs)} ms after that`);
    for (const node of [used, other]) {
      assert.match(runbook, /--wsrep-recover[^]*--wsrep-start-position/);
      await node.beginAgain();
      await node.whenSynced();
      assert.match(node.log.split('wsrep_start_position').at(-1) ?? '', /Receiving IST/);
    }
    await load.more(50);
  });

  it('has all that was acknowledged, each change once, and the same on all nodes', async () => {
    await load.stop();
    await load.assertKept();
    await assertConsistent(store, h.space.id);
    const tables = ['event', 'node', 'folder', 'version', 'space', 'trash'];
    const sums = await Promise.all(cluster.nodes.map(async (node) => {
      await node.query('SET STATEMENT wsrep_sync_wait = 1 FOR SELECT 1');
      return node.query(`CHECKSUM TABLE ${tables.map((each) => `metadata.${each}`).join(', ')}`);
    }));
    assert.equal(new Set(sums).size, 1, sums.join('\n'));
  });

  it('forms again by itself after a power cut of all nodes', async () => {
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await refused(store.getSpace(h.space.id), 'unavailable');
    await Promise.all(cluster.nodes.map((node) => node.beginAgain()));
    await whenWhole();
    await h.put(h.root, 'after the power cut');
  });
});

describe('Two turns on two nodes of a Galera cluster', () => {
  it('that did not see each other are not both committed: so an old one, once it was looked for '
    + 'elsewhere, never comes', async () => {
    const [first, second] = await Promise.all(cluster.nodes.slice(0, 2).map((node) =>
      Session.open(node.address('metadata'), 'schema')));
    assert.ok(first !== undefined && second !== undefined);
    await first.run('UPDATE writer_turn SET turn = turn + 1 WHERE id = 1');
    await second.run('UPDATE writer_turn SET turn = turn + 1 WHERE id = 1');
    await second.run('COMMIT');
    await assert.rejects(first.run('COMMIT'), (error) => serverFault(error)?.errno === 1213);
    await Promise.all([first.end(), second.end()]);
  });
});
