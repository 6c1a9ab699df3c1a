import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { parseTenantId, parseUserId } from '../base/ids.ts';
import {
  CachedDirectory, NotedMoveJournal, ShardPool, ShardedMetadataStore, TenantMover,
} from '../metadata/index.ts';
import type { ShardRecord, ShardStore } from '../metadata/index.ts';
import { MemoryShardDirectory } from '../metadata/shards/stores/memory/memory-directory.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import { silentLog, systemClock } from '../platform/index.ts';
import { ShardAdmission } from './shard-admission.ts';
import { ShardDrains } from './shard-drains.ts';
import type { DrainShown } from './shard-drains.ts';
import type { Shards } from './shards.ts';

const WAIT_MS = 60_000;
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
    this.drains = await ShardDrains.open({
      root, shards, mover: this.mover, clock: systemClock, log: silentLog,
      stepMs: 20,
      onMove: () => {
        const under = this.mover.list().filter(({ state }) => state !== 'reverse').length;
        this.mostAtOnce = Math.max(this.mostAtOnce, under);
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
      await new Promise<void>((resolve) => {
        systemClock.after(10, resolve);
      });
    }
  }

  tenantsOn(shard: number): number {
    return this.shards.directory.map.view.places.filter((place) => place.shard === shard).length;
  }
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
});
