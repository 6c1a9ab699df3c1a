/**
 * A store and a server on three nodes of a Galera cluster, of which some die, hang and come back
 * while callers write and a desktop client syncs. What an operator has to do is taken from
 * docs/runbooks/galera-node-lost.md.
 *
 * Each step begins with a cluster that is whole, and only when those before have passed: a node
 * that is still on its way back when two others are killed would prove something else.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import {
  assertConsistent, refused,
} from '../../src/metadata/stores/mariadb/testing/index.ts';
import { Session, serverFault } from '../../src/platform/mariadb/index.ts';
import { GaleraCluster } from '../../src/platform/mariadb/testing/index.ts';
import { eventually } from '../support/deadline.ts';
import { needPrograms } from '../support/programs.ts';
import { serverForTests } from '../support/server.ts';
import { bringBack, declareFarthest, whenAlone } from './galera-recovery.ts';
import { testPlainReturn, testReturn } from './galera-return.ts';
import { Devices, Scene } from './galera-scene.ts';
import type { GaleraScenario } from './galera-scene.ts';

const WAIT_MS = 120_000;
const TABLES = ['event', 'node', 'folder', 'version', 'space', 'trash'];

/** `scene` and `devices` are there when a step runs. */
interface Stage {
  scene: Scene;
  devices: Devices;
  step: (name: string, act: (t: TestContext) => Promise<void>) => void;
}

function testOneLost(stage: Stage): void {
  const { step } = stage;
  step('is spoken to on one node alone', async () => {
    await stage.scene.load.more(100);
    await eventually(WAIT_MS, 'the other nodes are left in peace', async () => {
      await stage.scene.h.names(stage.scene.h.root);
      const counts = await Promise.all(stage.scene.otherNodes.map((node) => node.query(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'metadata'")));
      return counts.every((count) => Number(count) === 0);
    });
  });

  step('goes on when the node in use is killed, which comes back with what it lacks',
    async (t) => {
      const node = stage.scene.nodeInUse;
      await stage.scene.readOn(t, async () => {
        await node.kill();
        await stage.scene.goesOn(t);
      });
      await bringBack([node]);
      assert.match(node.log, /Receiving IST/);
      await stage.scene.load.more(50);
    });

  step('goes on when another node hangs', (t) => stage.scene.hang(stage.scene.otherNodes[0], t));

  step('goes on when the node in use hangs, and what that had in hand is not done twice',
    (t) => stage.scene.hang(stage.scene.nodeInUse, t));

  step('goes on when the node in use is cut off from the others, although it lives and answers',
    async (t) => {
      const { scene, scene: { cluster, load, nodeInUse } } = stage;
      await nodeInUse.query("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'");
      try {
        await whenAlone(nodeInUse);
        await scene.goesOn(t);
        assert.notEqual(scene.nodeInUse, nodeInUse);
      } finally {
        await nodeInUse.query("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'");
      }
      await cluster.whenWhole();
      await load.more(50);
    });
}

function testTwoLost(stage: Stage): void {
  const { step } = stage;
  step('refuses all on a survivor without a majority, clients delete nothing, and all goes on '
    + 'when an operator declares it to be the cluster', async () => {
    const { scene, devices } = stage;
    await devices.syncFirst();
    const [other, survivor] = scene.otherNodes;
    const dead = [scene.nodeInUse, other];
    await Promise.all(dead.map((node) => node.kill()));
    await whenAlone(survivor);
    await Promise.all([scene.assertRefuses(), devices.syncInVain()]);
    const declared = await declareFarthest(survivor, dead);
    await scene.load.more(1);
    await devices.syncAgain();
    await bringBack([survivor, ...dead].filter((node) => node !== declared));
    await scene.load.more(50);
  });

  step('loses nothing when the survivor was left behind before, since another is declared',
    async () => {
      const { nodeInUse, otherNodes: [behind, other], load } = stage.scene;
      const dead = [nodeInUse, other];
      behind.signal('SIGSTOP');
      await load.more(100);
      await Promise.all(dead.map((node) => node.kill()));
      behind.signal('SIGCONT');
      await whenAlone(behind);
      await load.moreRefusals(1);
      const declared = await declareFarthest(behind, dead);
      assert.notEqual(declared, behind);
      await load.more(50);
      await bringBack([...dead.filter((node) => node !== declared), behind]);
    });
}

function testWhatIsLeft(stage: Stage): void {
  const { step } = stage;
  step('has all that was acknowledged, each change once, and the same on all nodes', async () => {
    const { cluster, load, store, h } = stage.scene;
    await load.stop();
    await load.assertKept();
    load.assertCalmRefusals();
    await assertConsistent(store, h.space.id);
    const sums = await Promise.all(cluster.nodes.map((node) => node.query(
      `SET SESSION wsrep_sync_wait = 1; SELECT 1;
        CHECKSUM TABLE ${TABLES.map((each) => `metadata.${each}`).join(', ')}`)));
    assert.equal(new Set(sums).size, 1, sums.join('\n'));
  });

  step('forms again by itself after a power cut of all nodes', async () => {
    const { cluster, store, h } = stage.scene;
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await refused(store.getSpace(h.space.id), 'unavailable');
    await Promise.all(cluster.nodes.map((node) => node.beginAgain()));
    await cluster.whenWhole();
    await h.put(h.root, 'after the power cut');
  });

  step('never commits two turns that did not see each other: so an old one, once it was looked '
    + 'for elsewhere, never comes', async () => {
    const [first, second] = await Promise.all(stage.scene.cluster.nodes.slice(0, 2).map((node) =>
      Session.open(node.address('metadata'), 'schema')));
    assert.ok(first !== undefined && second !== undefined);
    await first.run('UPDATE writer_turn SET turn = turn + 1 WHERE id = 1');
    await second.run('UPDATE writer_turn SET turn = turn + 1 WHERE id = 1');
    await second.run('COMMIT');
    await assert.rejects(first.run('COMMIT'), (error) => serverFault(error)?.errno === 1213);
    await Promise.all([first.end(), second.end()]);
  });
}

/** Runs while the tests of a file do. */
export function clusterForTests(silence: 'patient' | 'tuned'): () => GaleraCluster {
  let cluster: GaleraCluster | undefined;
  before(async () => {
    needPrograms('mariadbd');
    cluster = await GaleraCluster.start(silence);
  });
  after(() => cluster?.stop());
  return () => {
    assert.ok(cluster !== undefined, 'the cluster has started');
    return cluster;
  };
}

/** Changes nothing for those that come after. */
export function testReturnOnGalera(cluster: () => GaleraCluster): void {
  it('who is on another node goes to the first one once that is in step, and loses nothing',
    async () => {
      await testPlainReturn(cluster());
    });
}

/** Comes before the others: what their callers write is compared as a whole at the end. In the
 *  proof alone: here two write at two nodes, and MariaDB may then stand still (docs/galera.md). */
function proveReturn(cluster: () => GaleraCluster): void {
  it('Stores on a Galera cluster go back to its first node once that was well for a while, and who '
    + 'writes sees it meanwhile', { timeout: 300_000 }, async (t) => {
    await testReturn({ cluster: cluster(), comeBack: (node) => bringBack([node]) }, t);
    await cluster().whenWhole();
  });
}

/** Without times to be held, `cluster` is to be patient: then a busy machine changes nothing. */
export function testGalera(cluster: () => GaleraCluster, scenario: GaleraScenario = {}): void {
  let scene: Scene | undefined;
  let devices: Devices | undefined;
  let underWay: string | undefined;
  const stage: Stage = {
    get scene() {
      assert.ok(scene !== undefined);
      return scene;
    },
    get devices() {
      assert.ok(devices !== undefined);
      return devices;
    },
    step(name, act) {
      it(name, async (t) => {
        assert.equal(underWay, undefined, 'an earlier step has failed');
        underWay = name;
        await stage.scene.cluster.whenWhole();
        stage.scene.load.takeLongestGapMs();
        await act(t);
        underWay = undefined;
      });
    },
  };

  if (scenario.gapMaxMs !== undefined) proveReturn(cluster);

  describe('A store on a Galera cluster, while callers write', { timeout: 900_000 }, () => {
    const servers = serverForTests();
    before(async () => {
      needPrograms('nextcloudcmd');
      scene = await Scene.set(cluster(), scenario);
      devices = await Devices.on(servers, scene.cluster);
    });
    after(async () => {
      await scene?.end();
    });
    testOneLost(stage);
    testTwoLost(stage);
    testWhatIsLeft(stage);
  });
}
