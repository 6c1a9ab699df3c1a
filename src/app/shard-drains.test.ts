import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { parseTenantId, parseUserId } from '../base/ids.ts';
import {
  CachedDirectory, NotedDrainJournal, NotedMoveJournal, ShardPool, ShardedMetadataStore,
  TenantMover,
} from '../metadata/index.ts';
import type { DrainJournal, ShardRecord, ShardStore } from '../metadata/index.ts';
import {
  MemoryDrainJournal,
} from '../metadata/move/stores/memory/memory-drain-journal.ts';
import { MemoryShardDirectory } from '../metadata/shards/stores/memory/memory-directory.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import { silentLog, systemClock } from '../platform/index.ts';
import { ShardAdmission } from './shard-admission.ts';
import { ShardDrains } from './shard-drains.ts';
import type { DrainShown } from './shard-drains.ts';
import type { Shards } from './shards.ts';

const WAIT_MS = 60_000;
const STEP_MS = 20;
const TENANTS = ['acme', 'byte', 'cube', 'dome'].map(parseTenantId);

let root: string;
let site: Site;

/** Four tenants on shard 1; shards 0 and 2 are closed to them until they are opened. */
class Site {
  readonly shards: Shards;
  readonly metadata: ShardedMetadataStore;
  mover!: TenantMover;
  drains!: ShardDrains;
  /** Nobody reaches rows before it has resolved. */
  gate: Promise<unknown> = Promise.resolve();
  /** Told of each move that begins. */
  onBegun = (): void => undefined;
  /** The most moves that were under way together. */
  mostAtOnce = 0;

  private constructor(shards: Shards, metadata: ShardedMetadataStore) {
    this.shards = shards;
    this.metadata = metadata;
  }

  static async open(): Promise<Site> {
    const clock = systemClock;
    const directory = await CachedDirectory.open({
      source: new MemoryShardDirectory(), clock, isShared: false,
    });
    for (const name of ['old', 'new']) {
      await directory.addShard({ name, url: `sqlite:${name}.db`, passwordPath: undefined, at: 0 });
    }
    await directory.setShardState(0, 'draining');
    await directory.setShardState(2, 'draining');
    const open = ({ number }: ShardRecord): Promise<ShardStore> => SqliteMetadataStore.open({
      file: join(root, `${number}.db`), create: true, shard: number, clock,
    });
    const pool = new ShardPool({ clock, open });
    const metadata = new ShardedMetadataStore({
      directory, pool, clock, tenantOf: ({ id }) => parseTenantId(id.slice('of-'.length)),
    });
    const shards: Shards = {
      root, directory, pool, isShared: false, admission: new ShardAdmission(),
      withoutAway: (onAway) => metadata.withoutAway(onAway),
      make: () => Promise.resolve(), check: () => Promise.resolve(),
      findDrift: () => Promise.resolve([]),
    };
    const site = new Site(shards, metadata);
    for (const tenant of TENANTS) {
      await metadata.ensureSpace({
        tenant, owner: parseUserId(`of-${tenant}`), casePolicy: 'sensitive', quotaBytes: undefined,
        at: 0,
      });
    }
    await site.begin();
    return site;
  }

  async begin(): Promise<void> {
    const { shards } = this;
    this.mover = await TenantMover.open({
      journal: await NotedMoveJournal.open(join(root, 'tenant-moves')),
      directory: shards.directory, clock: systemClock, isOurs: () => true,
      onFlipped: () => undefined,
      rowsOf: async (number) => {
        await this.gate;
        const shard = shards.directory.map.view.shards[number] as ShardRecord;
        const { tenantRows } = await shards.pool.get(shard);
        assert.ok(tenantRows);
        return tenantRows;
      },
      pace: {
        rowsPerSecond: 1_000_000, freezeMaxMs: 60_000, reverseMs: 3_600_000, quietMs: 10,
        idleMs: 10,
      },
    });
    this.drains = this.desk(await NotedDrainJournal.open(join(root, 'shard-drains')), () => true);
  }

  /** As one server of several has it. */
  desk(journal: DrainJournal, isOurs: () => boolean): ShardDrains {
    const { shards, mover } = this;
    return ShardDrains.open({
      journal, shards, mover, isOurs, clock: systemClock, log: silentLog,
      stepMs: STEP_MS,
      onMove: () => {
        const under = this.mover.list().filter(({ state }) => state !== 'reverse').length;
        this.mostAtOnce = Math.max(this.mostAtOnce, under);
        this.onBegun();
      },
    });
  }

  async end(): Promise<void> {
    await this.drains.close();
    await this.mover.close();
  }

  /** Has one move begin, and no other, while `act` is done. */
  async withOneBegun(act: () => Promise<unknown>): Promise<void> {
    const held = Promise.withResolvers<void>();
    this.gate = held.promise;
    await this.start();
    await act();
    held.resolve();
    await this.until('nothing is on the move', ({ moving }) => moving.length === 0);
  }

  start(atOnce = 1): Promise<DrainShown> {
    return this.drains.start(this.shards.directory.map.view.shards[1] as ShardRecord, atOnce);
  }

  async drain(): Promise<DrainShown> {
    return (await this.drains.list())[0] as DrainShown;
  }

  async until(what: string, isSo: (drain: DrainShown) => boolean): Promise<void> {
    const endsAt = systemClock.now() + WAIT_MS;
    while (!isSo(await this.drain())) {
      assert.ok(systemClock.now() < endsAt, `${what}: ${JSON.stringify(await this.drain())}`);
      await passed(10);
    }
  }

  tenantsOn(shard: number): number {
    return this.shards.directory.map.view.places.filter((place) => place.shard === shard).length;
  }
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(ms, resolve);
  });
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-drains-'));
  site = await Site.open();
});
afterEach(async () => {
  await site.end();
  await site.metadata.close();
  await rm(root, { recursive: true });
});

const refused = (work: Promise<unknown>, code: string): Promise<void> =>
  assert.rejects(work, (error) => error instanceof HoldfastError && error.code === code);

describe('ShardDrains', () => {
  it('move all tenants to the open shards with the least, no more at once than said', async () => {
    await site.shards.directory.setShardState(0, 'open');
    await site.shards.directory.setShardState(2, 'open');
    const { total } = await site.start(2);
    assert.equal(total, 4);
    await site.until('it is done', ({ state }) => state === 'done');
    assert.deepEqual([0, 1, 2].map((shard) => site.tenantsOn(shard)), [2, 0, 2]);
    assert.ok(site.mostAtOnce <= 2, `${site.mostAtOnce} at once`);
    await refused(site.drains.change(1, 'pause'), 'drain-over');
  });

  it('are refused while there is nowhere to go, and close nothing then', async () => {
    await refused(site.start(), 'no-other-shard');
    assert.equal(site.shards.directory.map.view.shards[1]?.state, 'open');
    await refused(site.drains.change(1, 'resume'), 'drain-missing');
  });

  it('wait when the way is closed meanwhile, say why, and go on after a death', async () => {
    await site.shards.directory.setShardState(2, 'open');
    await site.withOneBegun(() => site.drains.change(1, 'pause'));
    assert.ok(site.tenantsOn(1) >= 3, 'nothing begins while it is paused');
    await site.shards.directory.setShardState(2, 'draining');
    await site.drains.change(1, 'resume');
    await site.until('it says why', ({ troubles }) => /nowhere/.test(troubles[0] ?? ''));
    await site.end();
    await site.shards.directory.setShardState(2, 'open');
    await site.begin();
    await site.until('it is done', ({ state }) => state === 'done');
    assert.equal(site.tenantsOn(2), 4);
  });

  it('leave where they are those who are there when it is stopped', async () => {
    await site.shards.directory.setShardState(2, 'open');
    await site.withOneBegun(() => site.drains.change(1, 'stop'));
    assert.equal((await site.drain()).state, 'stopped');
    assert.ok(site.tenantsOn(1) >= 3, 'at most the one under way has gone');
    await refused(site.drains.change(1, 'resume'), 'drain-over');
  });

  it('wait for the way back of who has just come, and say how to end it', async () => {
    await site.shards.directory.setShardState(2, 'open');
    const [acme] = TENANTS as [ReturnType<typeof parseTenantId>];
    await site.mover.start(acme, 2);
    const isBack = (): boolean => site.mover.get(acme).state === 'reverse';
    await site.start();
    await site.until('it is done', ({ state }) => state === 'done' && isBack());
    await site.shards.directory.setShardState(0, 'open');
    await site.drains.start(site.shards.directory.map.view.shards[2] as ShardRecord, 4);
    const second = async (): Promise<DrainShown | undefined> =>
      (await site.drains.list()).find(({ shard }) => shard === 2);
    assert.match((await second())?.troubles.join() ?? '', /acme: .* finish acme/);
    for (const tenant of TENANTS) await site.mover.finish(tenant);
    await site.until('all of it has gone', () => site.tenantsOn(0) === 4);
  });

  it('are done by who moves tenants, whoever was asked, and gone on with by the next', async () => {
    await site.shards.directory.setShardState(2, 'open');
    const journal = new MemoryDrainJournal();
    let mover = 'none';
    const [one, two] = ['one', 'two'].map((name) => site.desk(journal, () => mover === name));
    assert.ok(one !== undefined && two !== undefined);
    await site.drains.close();
    site.drains = two;
    site.onBegun = () => {
      mover = 'none'; // As if it had died: nobody goes on.
    };
    await two.start(site.shards.directory.map.view.shards[1] as ShardRecord, 1);
    assert.equal(await two.isDraining(1), true);
    await passed(10 * STEP_MS);
    assert.equal(site.mover.list().length, 0, 'nobody moves tenants yet');
    mover = 'one';
    await site.until('one has moved', ({ waiting, moving: { length } }) =>
      waiting.length === 3 && length === 0);
    await one.close();
    await passed(10 * STEP_MS);
    assert.equal((await site.drain()).waiting.length, 3, 'nobody goes on');
    site.onBegun = () => undefined;
    assert.equal((await site.drain()).state, 'draining');
    mover = 'two';
    await site.until('the second one has done it', ({ state }) => state === 'done');
    assert.equal(site.tenantsOn(2), 4);
  });

  it('say at every server why they do not go on, and not for longer than it is so', async () => {
    await site.shards.directory.setShardState(2, 'open');
    const journal = new MemoryDrainJournal();
    const asked = site.desk(journal, () => false);
    await asked.start(site.shards.directory.map.view.shards[1] as ShardRecord, 1);
    await site.shards.directory.setShardState(2, 'draining');
    await site.drains.close();
    site.drains = site.desk(journal, () => true);
    const troubles = async (): Promise<string> => (await asked.list())[0]?.troubles.join() ?? '';
    await site.until('it is known', ({ troubles: [first] }) => /nowhere/.test(first ?? ''));
    assert.match(await troubles(), /nowhere/);
    await site.shards.directory.setShardState(2, 'open');
    await site.until('it goes on', ({ state }) => state === 'done');
    assert.equal(await troubles(), '');
    await asked.close();
  });
});
