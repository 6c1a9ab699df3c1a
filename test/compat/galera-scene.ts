/** What the Galera scenario plays with: a cluster, a store on it with callers who write, and a
 *  server with two devices that sync. */
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  AcknowledgedLoad, Hand, MariadbMetadataStore, refused,
} from '../../src/metadata/stores/mariadb/testing/index.ts';
import { RetryBudget } from '../../src/platform/index.ts';
import { withChoice } from '../../src/platform/mariadb/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import type { GaleraCluster, GaleraNode } from '../../src/platform/mariadb/testing/index.ts';
import type { DavClient } from '../support/dav-client.ts';
import { eventually } from '../support/deadline.ts';
import type { serverForTests, TestServer } from '../support/server.ts';
import { assertSameTree, readTree, write } from '../support/trees.ts';
import { Replica, nextcloudcmd } from './sync-program.ts';

const WAIT_MS = 120_000;
/** More than there are connections, so that each of those is in use. */
const READERS = 32;
const READ_EVERY_MS = 10;

export interface GaleraScenario {
  /** The longest time in which nothing may be acknowledged when a node fails; with it
   *  a planned return is tried too. */
  gapMaxMs?: number;
}

export class Scene {
  readonly cluster: GaleraCluster;
  readonly store: MariadbMetadataStore;
  readonly h: Hand;
  readonly load: AcknowledgedLoad;
  readonly #address: ServerAddress;
  /** As a server has it for all who speak to its database. */
  readonly #budget: RetryBudget;
  readonly #gapMaxMs: number | undefined;

  private constructor(parts: Pick<Scene, 'cluster' | 'store' | 'h'>,
    address: ServerAddress, gapMaxMs: number | undefined) {
    this.cluster = parts.cluster;
    this.store = parts.store;
    this.h = parts.h;
    this.#address = address;
    this.#budget = RetryBudget.of(address.retries);
    this.#gapMaxMs = gapMaxMs;
    this.load = new AcknowledgedLoad(this.h, { nodeInUse: () => this.nodeInUse.name });
  }

  /** It stays on the node that it went to last: the steps say themselves which one they mean. */
  static async set(cluster: GaleraCluster, { gapMaxMs }: GaleraScenario): Promise<Scene> {
    const address = withChoice({
      ...await cluster.makeDatabase('metadata'), returnAfterMs: 0,
      retries: RetryBudget.make().shared,
    });
    const store = await MariadbMetadataStore.open({ address, create: true });
    return new Scene({ cluster, store, h: await Hand.on(store) }, address, gapMaxMs);
  }

  /** The node that the writer and the readers speak to. */
  get nodeInUse(): GaleraNode {
    const { choice } = this.#address;
    const node = choice && this.cluster.nodes[new Int32Array(choice)[0] ?? 0];
    assert.ok(node !== undefined);
    return node;
  }

  get otherNodes(): [GaleraNode, GaleraNode] {
    const [first, second] = this.cluster.nodes.filter((node) => node !== this.nodeInUse);
    assert.ok(first !== undefined && second !== undefined);
    return [first, second];
  }

  async goesOn(t: TestContext): Promise<void> {
    await this.load.more(100);
    const gapMs = this.load.takeLongestGapMs();
    const { retries, slowed, givenUp } = this.#budget.figures;
    t.diagnostic(`longest gap ${Math.round(gapMs)} ms; `
      + `${retries} retries by now, ${slowed} of them slowed`);
    assert.equal(givenUp, 0, 'the budget of retries has refused nobody');
    if (this.#gapMaxMs === undefined) return;
    assert.ok(gapMs <= this.#gapMaxMs, `nothing was acknowledged for ${gapMs} ms`);
  }

  /** Many read while `act` takes the node away from them: each answer comes, from another one. */
  async readOn(t: TestContext, act: () => Promise<void>): Promise<void> {
    let isOver = false;
    const times: number[] = [];
    const readers = Array.from({ length: READERS }, async () => {
      while (!isOver) {
        const begunMs = performance.now();
        await this.store.getSpace(this.h.space.id);
        times.push(performance.now() - begunMs);
        await pause(READ_EVERY_MS);
      }
    });
    const all = Promise.all(readers);
    all.catch(() => undefined); // It is looked at in the end.
    try {
      await act();
    } finally {
      isOver = true;
    }
    await all;
    const longestMs = Math.max(...times);
    t.diagnostic(`${times.length} reads, the longest ${Math.round(longestMs)} ms`);
    if (this.#gapMaxMs === undefined) return;
    assert.ok(longestMs <= this.#gapMaxMs, `somebody has waited for ${longestMs} ms`);
  }

  /** The node hangs while callers write, then goes on. */
  async hang(node: GaleraNode, t: TestContext): Promise<void> {
    node.signal('SIGSTOP');
    try {
      await this.goesOn(t);
    } finally {
      node.signal('SIGCONT');
    }
    await this.cluster.whenWhole();
    await this.load.more(50);
  }

  /** Nothing is answered, above all not that there is nothing. */
  async assertRefuses(): Promise<void> {
    await this.load.moreRefusals(1);
    const { count } = this.load;
    await Promise.all([
      refused(this.h.names(this.h.root), 'unavailable'),
      refused(this.store.getSpace(this.h.space.id), 'unavailable'),
      this.load.moreRefusals(1),
    ]);
    assert.equal(this.load.count, count, 'nothing was acknowledged');
  }

  async end(): Promise<void> {
    await this.load.stop();
    await this.store.close();
  }
}

/** Two devices of one user of a server whose accounts and metadata are on the same cluster. */
export class Devices {
  readonly #user: DavClient;
  readonly #a: Replica;
  readonly #b: Replica;

  constructor(server: TestServer, user: DavClient) {
    this.#user = user;
    const make = (label: string): Replica =>
      new Replica(label, nextcloudcmd, user.credentials, () => server.url);
    this.#a = make('a');
    this.#b = make('b');
  }

  static async on(
    servers: ReturnType<typeof serverForTests>, cluster: GaleraCluster,
  ): Promise<Devices> {
    const { database } = await cluster.makeDatabase('holdfast');
    const hosts = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
    const server = await servers.start({
      env: { HOLDFAST_DATABASE_URL: `mariadb://root@${hosts}/${database}` },
    });
    return new Devices(server, await server.addUser());
  }

  async syncFirst(): Promise<void> {
    for (let n = 0; n < 20; n += 1) write(this.#a.folder, `folder ${n % 3}/${n}.txt`, `${n}\n`);
    await this.#sync(this.#a);
    await this.#sync(this.#b);
    assertSameTree(readTree(this.#b.folder), readTree(this.#a.folder), 'both devices');
  }

  /** While there is no majority: the client fails, and takes nothing for deleted. */
  async syncInVain(): Promise<void> {
    write(this.#a.folder, 'made meanwhile.txt', 'new');
    rmSync(join(this.#a.folder, 'folder 0/0.txt'));
    const wanted = readTree(this.#a.folder);
    const { status, headers } = await this.#user.ask('PROPFIND', this.#user.root);
    assert.equal(status, 503);
    assert.ok(Number(headers['retry-after']) > 0);
    const { code } = await this.#a.sync();
    assert.notEqual(code, 0, 'the client says that it has failed');
    assertSameTree(readTree(this.#a.folder), wanted, 'the device that was refused');
  }

  /** Both have all again, and with it what was done on one meanwhile. */
  async syncAgain(): Promise<void> {
    const wanted = readTree(this.#a.folder);
    await eventually(WAIT_MS, 'the server is ready', async () =>
      (await this.#user.ask('GET', '/readyz')).status === 200);
    await this.#sync(this.#a);
    await this.#sync(this.#b);
    assertSameTree(readTree(this.#a.folder), wanted, 'the device that was refused');
    assertSameTree(readTree(this.#b.folder), wanted, 'the other device');
    assertSameTree(await this.#user.tree(), wanted, 'the server');
  }

  async #sync(replica: Replica): Promise<void> {
    const { code, tail } = await replica.sync();
    assert.equal(code, 0, tail);
  }
}
