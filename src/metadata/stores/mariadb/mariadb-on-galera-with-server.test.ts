/**
 * A store on three nodes of a Galera cluster, of which some die, hang and come back while callers
 * write. What an operator has to do is what docs/runbooks/galera.md says.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { GaleraCluster } from '../../../platform/mariadb/testing/index.ts';
import type { GaleraNode } from '../../../platform/mariadb/testing/index.ts';
import { Hand } from '../../conformance/hand.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';
import { AcknowledgedLoad } from './testing/acknowledged-load.ts';

/** What the issue of a dead node may cost, with the settings of the runbook. */
const GAP_MAX_MS = 3_000;

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
  await load.more(200);
  const gapMs = load.takeLongestGapMs();
  t.diagnostic(`longest gap ${Math.round(gapMs)} ms`);
  assert.ok(gapMs <= GAP_MAX_MS, `nothing was acknowledged for ${gapMs} ms`);
}

describe('A store on a Galera cluster, while callers write', () => {
  it('is spoken to on one node alone', async () => {
    await load.more(200);
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
    await goesOn(t);
    node.signal('SIGCONT');
    await whenWhole();
    load.takeLongestGapMs();
  });

  it('goes on within 3 s when the node in use hangs, and what that had in hand is not done twice',
    async (t) => {
      const node = await nodeInUse();
      node.signal('SIGSTOP');
      await goesOn(t);
      await nodeInUse(node);
      node.signal('SIGCONT');
      await whenWhole();
      await load.more(50);
      load.takeLongestGapMs();
    });

  it('has all that was acknowledged, each change once', async () => {
    await load.stop();
    await load.assertKept();
  });
});
