/** What a process answers whose map of shards is old, when a tenant was moved and cleaned up. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { inspect } from 'node:util';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { parseName } from '../../../base/names.ts';
import { ManualClock } from '../../../platform/index.ts';
import { Hand, NOON, refused } from '../../conformance/hand.ts';
import type { MetadataStore } from '../../metadata-store.ts';
import { MemoryMoveJournal } from '../../move/move-record.ts';
import { MovingTenant } from '../../move/testing/moving-tenant.ts';
import { CachedDirectory, MAP_SURE_MS } from '../../shards/cached-directory.ts';
import type { ShardDirectory } from '../../shards/shard-directory.ts';
import { ShardPool } from '../../shards/shard-pool.ts';
import { ShardedMetadataStore } from '../../shards/sharded-metadata-store.ts';
import { MemoryShardDirectory } from '../../shards/stores/memory/memory-directory.ts';
import { ACME, tenantOf } from '../../shards/testing/two-shards.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const EVE = 'eve';

describe('A process with an old map of shards', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let made = 0;
  let source: MemoryShardDirectory;
  let stores: [SqliteMetadataStore, SqliteMetadataStore];
  let moving: MovingTenant;
  let isAway: boolean;
  let clock: ManualClock;
  let old: MetadataStore;
  let h: Hand;

  beforeEach(async () => {
    made += 1;
    isAway = false;
    clock = new ManualClock(NOON);
    source = new MemoryShardDirectory();
    await source.addShard({ name: 'b', url: 'sqlite:b.db', passwordPath: undefined, at: 0 });
    await source.place(ACME, 0);
    const open = (shard: number): Promise<SqliteMetadataStore> => SqliteMetadataStore.open({
      file: join(folder, `${made}-${shard}.db`), create: true, shard,
    });
    stores = [await open(0), await open(1)];
    const journal = new MemoryMoveJournal();
    moving = await MovingTenant.open({ stores, directory: source, journal });
    const directory = await CachedDirectory.open({
      source: reached(source), clock, isShared: true,
    });
    const pool = new ShardPool({ clock, open: async ({ number }) => stores[number as 0 | 1] });
    old = new ShardedMetadataStore({ directory, pool, tenantOf, clock });
    h = await Hand.on(old, { tenant: ACME, owner: EVE });
    await h.put((await h.folder(h.root, 'box')).id, 'file');
    await h.put(h.root, 'beside');
  });
  afterEach(async () => {
    await moving.mover.close();
    await old.close();
    for (const store of stores) await store.close();
  });

  function reached(near: ShardDirectory): ShardDirectory {
    return new Proxy(near, {
      get: (_, name) => {
        const member: unknown = Reflect.get(near, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => (isAway && name !== 'close'
          ? Promise.reject(new HoldfastError('unavailable', 'test', 'It is away.'))
          : Reflect.apply(member, near, args) as unknown);
      },
    });
  }

  /** Everything that could make a client believe that files are gone. */
  function questions(): Record<string, () => Promise<unknown>> {
    const { id } = h.space;
    return {
      'get space': () => old.getSpace(id), resolve: () => h.find('box/file'),
      list: () => h.names(h.root), 'find chain': () => old.findChain(id, h.root),
      'find chains': () => old.findChains(id, [h.root]), events: () => old.listEvents(id, 0, 10),
      standings: () => old.listStandings([id]), 'access rev': () => old.accessRev(id),
      grants: () => old.listGrants(id), mounts: () => old.listMounts(id),
      'grants to': () => old.listGrantsTo([{ kind: 'user', id: EVE }]),
      'all spaces': () => old.listSpaces(10), manifests: () => old.listManifests(10),
      trash: () => old.listTrash(id, 10), link: () => old.findLink('none'),
      upload: () => old.findUpload(EVE as never, 'u'), past: () => old.past(id, 1),
      usage: () => old.readTenantUsage(ACME, NOON), batch: () => old.findBatch(1),
      write: () => h.put(h.root, 'new'),
      'make a folder': () => h.folder(h.root, 'another'),
    };
  }

  async function moveAndClean(): Promise<void> {
    await moving.move(1, ACME);
    await moving.finish(ACME);
  }

  it('says that it does not know where files are, and never that they are gone', async () => {
    isAway = true;
    clock.advance(MAP_SURE_MS + 1);
    assert.deepEqual(await h.names(h.root), ['beside', 'box'], 'the shard says it is at home');
    assert.equal(await h.find('nothing'), undefined);
    await moveAndClean();
    for (const [what, ask] of Object.entries(questions())) {
      const answer = await ask().then((told) => told, (error: unknown) => error);
      assert.ok(isKind(answer, 'unavailable'), `${what}: ${inspect(answer)}`);
    }
  });

  it('finds them where they are as soon as the directory can be reached', async () => {
    isAway = true;
    clock.advance(MAP_SURE_MS + 1);
    await moveAndClean();
    for (const ask of Object.values(questions())) {
      isAway = true;
      await assert.rejects(ask());
    }
    isAway = false;
    assert.equal((await h.find('box/file'))?.name, parseName('file'));
    assert.deepEqual(await h.names(h.root), ['beside', 'box']);
    assert.deepEqual((await old.listSpaces(10)).map(({ id }) => id), [h.space.id]);
    await h.put(h.root, 'new');
  });

  it('ends a list that has begun before the move with a refusal', async () => {
    const pages = old.listFolder(h.space.id, h.root, { pageMax: 1 })[Symbol.asyncIterator]();
    assert.equal((await pages.next()).done, false);
    isAway = true;
    await moveAndClean();
    clock.advance(MAP_SURE_MS + 1);
    await refused((async () => {
      while ((await pages.next()).done !== true);
    })(), 'unavailable');
  });
});
