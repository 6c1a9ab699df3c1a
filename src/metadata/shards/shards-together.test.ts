/** What ShardedMetadataStore adds to the promises of MetadataStore. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../../base/ids.ts';
import type { SpaceId, TenantId } from '../../base/ids.ts';
import { HoldfastError } from '../../base/errors.ts';
import { parseName } from '../../base/names.ts';
import { ManualClock } from '../../platform/index.ts';
import { ANNA, Hand, NOON, refused } from '../conformance/hand.ts';
import type { ManifestPlace } from '../records.ts';
import { shardOfId } from '../shard-number.ts';
import { MemoryMetadataStore } from '../stores/memory/memory-metadata-store.ts';
import { CachedDirectory } from './cached-directory.ts';
import { REOPEN_MS, ShardPool } from './shard-pool.ts';
import type { ShardStore } from './shard-store.ts';
import { ShardedMetadataStore } from './sharded-metadata-store.ts';
import { MemoryShardDirectory } from './stores/memory/memory-directory.ts';
import { ACME, openTwoShards, tenantOf } from './testing/two-shards.ts';

/** Two shards in memory whose calls are counted, and that can be taken away. */
class Counted {
  readonly calls: string[] = [];
  readonly away = new Set<number>();
  readonly stores = new Map<number, MemoryMetadataStore>();

  open = async ({ number }: { number: number }): Promise<ShardStore> => {
    if (this.away.has(number)) throw new HoldfastError('unavailable', 'test', 'It is away.');
    const inner = this.stores.get(number) ?? new MemoryMetadataStore({ shard: number });
    this.stores.set(number, inner);
    return new Proxy<ShardStore>(inner, {
      get: (_, name) => {
        const member: unknown = Reflect.get(inner, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          this.calls.push(`${number} ${String(name)}`);
          if (this.away.has(number)) {
            return Promise.reject(new HoldfastError('unavailable', 'test', 'It is away.'));
          }
          return Reflect.apply(member, inner, args) as unknown;
        };
      },
    });
  };

  take(): string[] {
    return this.calls.splice(0);
  }
}

async function twoHands() {
  const counted = new Counted();
  const { store, directory } = await openTwoShards({ open: counted.open });
  const anna = await Hand.on(store);
  const eve = await Hand.on(store, { tenant: ACME, owner: 'eve' });
  return { counted, store, directory, anna, eve };
}

async function grantLink(h: Hand, tokenHash: string): Promise<void> {
  await h.store.commit({
    op: 'put-grant', spaceId: h.space.id, nodeId: h.root, subject: { kind: 'link', tokenHash },
    role: 'viewer', isShown: false, expiresAt: undefined, terms: '{}', actor: h.actor(),
  });
}

describe('Two shards', () => {
  it('have one statement about a space go to one of them, whatever it is', async () => {
    const { counted, store, anna, eve } = await twoHands();
    for (const [h, shard] of [[anna, 0], [eve, 1]] as const) {
      const { id } = h.space;
      assert.equal(shardOfId(id), shard);
      const box = await h.folder(h.root, 'box');
      const file = await h.put(box.id, 'f');
      const asked: (() => Promise<unknown>)[] = [
        () => store.getSpace(id), () => h.find('box/f'), () => store.findChain(id, file.id),
        () => store.findChains(id, [box.id]), () => store.listStandings([id]), () => h.list(h.root),
        () => store.listProperties(id, box.id), () => store.listVersions(id, file.id),
        () => store.listEvents(id, 0, 10), () => store.listTrash(id, 10), () => store.past(id, 1),
        () => store.listLocks(id, NOON), () => store.listGrants(id), () => store.accessRev(id),
        () => store.listMounts(id), () => store.readUsage(id, NOON), () => h.put(h.root, 'g'),
        () => store.listReservations(id, NOON), () => store.listBatches({ spaceId: id }, 10),
        () => store.findUpload(shard === 0 ? ANNA : parseUserId('eve'), 'none'),
        () => store.listGrantsTo([{ kind: 'user', id: shard === 0 ? 'anna' : 'eve' }]),
        () => h.copy(file.id, h.root, 'h'), () => h.delete(file.id),
      ];
      for (const ask of asked) {
        counted.take();
        await ask();
        const calls = counted.take();
        assert.equal(calls.length, 1, `${String(ask)}: ${calls.join()}`);
        assert.ok(calls[0]?.startsWith(`${shard} `), `${String(ask)}: ${calls.join()}`);
      }
    }
    await store.close();
  });

  it('list all that both have in one order, page by page', async () => {
    const { store } = await twoHands();
    for (const owner of ['ben', 'carl', 'dora']) await Hand.on(store, { owner });
    await Hand.on(store, { tenant: ACME, owner: 'finn' });
    const seen: SpaceId[] = [];
    for (let after: SpaceId | undefined; ;) {
      const page = await store.listSpaces(2, after);
      seen.push(...page.map(({ id }) => id));
      if (page.length < 2) break;
      after = page.at(-1)?.id;
    }
    assert.equal(seen.length, 6);
    assert.deepEqual(seen, seen.toSorted((a, b) => a - b));
    assert.equal(shardOfId(seen.at(-1) ?? 0), 1);
    await store.close();
  });

  it('answer every manifest of both to whoever walks, and the marks of both', async () => {
    const { store, anna, eve } = await twoHands();
    for (const [h, owner] of [[anna, 'anna'], [eve, 'eve']] as const) {
      for (let n = 0; n < 5; n += 1) {
        await h.put(h.root, `f${n}`, n, { witness: [[1, n * h.space.id]] });
      }
      const upload = { owner: parseUserId(owner), uploadId: 'u' };
      await store.commit({ op: 'begin-upload', ...upload, totalBytes: undefined, at: NOON,
        expiresAt: NOON + 1 });
      await store.commit({ op: 'put-part', ...upload, number: 1, name: 'p', sizeBytes: 1,
        manifest: Buffer.from(owner), expiresAt: NOON + 1 });
    }
    for (const limit of [1, 3, 100]) {
      const places: ManifestPlace[] = [];
      for (let after: ManifestPlace | undefined; ;) {
        const page = await store.listManifests(limit, after);
        if (page.length === 0) break;
        places.push(...page.map(({ place }) => place));
        after = places.at(-1);
      }
      assert.equal(places.length, 12, `pages of ${limit}`);
      assert.deepEqual(places.map(({ kind }) => kind).filter((kind) => kind === 'part').length, 2);
      assert.equal(places.findLastIndex(({ kind }) => kind === 'part'), 1, 'parts come first');
    }
    assert.deepEqual(await store.readWitness(), [[1, 4 * eve.space.id]]);
    await store.close();
  });

  it('let nothing lead from one to the other', async () => {
    const { store, anna, eve } = await twoHands();
    const before = [await anna.rev(), await eve.rev()];
    const actor = anna.actor();
    const target = { spaceId: eve.space.id, nodeId: eve.root };
    await refused(store.commit({
      op: 'mount', spaceId: anna.space.id, parentId: anna.root, name: parseName('m'), target, actor,
    }), 'denied', 'other-tenant');
    await refused(store.commit({
      op: 'put-grant', spaceId: anna.space.id, nodeId: anna.root, role: 'viewer', isShown: true,
      subject: { kind: 'user', id: 'zoe' }, expiresAt: undefined, terms: '{}', actor,
    }), 'denied', 'other-tenant');
    assert.deepEqual([await anna.rev(), await eve.rev()], before);
    await store.close();
  });

  it('go on with the tenants of one while the other is away, and say what is away', async () => {
    const { counted, store, anna, eve } = await twoHands();
    await grantLink(anna, 'of-anna');
    counted.away.add(1);
    await anna.put(anna.root, 'f');
    assert.equal((await anna.list(anna.root)).length, 1);
    await refused(eve.put(eve.root, 'f'), 'unavailable');
    await refused(store.getSpace(eve.space.id), 'unavailable');
    assert.equal((await store.findLink('of-anna'))?.spaceId, anna.space.id);
    await refused(store.findLink('of-eve'), 'unavailable');
    for (const all of [store.listSpaces(10), store.listManifests(10), store.readWitness(),
      store.listQuarantines({}, 10), store.listBatches({}, 10)]) {
      await refused(all, 'unavailable');
    }
    counted.away.clear();
    await eve.put(eve.root, 'f');
    assert.equal(await store.findLink('of-eve'), undefined);
    await store.close();
  });

  it('are listed without what is away by whoever can do without, and told of it', async () => {
    const { counted, store, anna, eve } = await twoHands();
    const told: number[] = [];
    const there = store.withoutAway((shard) => told.push(shard));
    const ids = async (): Promise<SpaceId[]> => (await there.listSpaces(10)).map(({ id }) => id);
    assert.deepEqual([await ids(), told], [[anna.space.id, eve.space.id], []]);
    counted.away.add(1);
    assert.deepEqual([await ids(), told], [[anna.space.id], [1]]);
    assert.deepEqual(await there.listBatches({}, 10), []);
    assert.deepEqual(await there.listQuarantines({}, 10), []);
    await refused(there.listManifests(10), 'unavailable');
    await refused(there.readWitness(), 'unavailable');
    assert.deepEqual(await store.readMarks(), { witness: [], away: [1] });
    counted.away.add(0);
    await refused(store.readMarks(), 'unavailable');
    counted.away.clear();
    await store.close();
  });

  it('list what is near a tenant by asking one, and are refused while that is away', async () => {
    const { counted, store, eve } = await twoHands();
    counted.away.add(0);
    counted.take();
    assert.deepEqual((await store.listSpaces(10, undefined, ACME)).map(({ id }) => id),
      [eve.space.id]);
    await store.listBatches({ near: ACME }, 10);
    await store.listQuarantines({ near: ACME }, 10);
    assert.deepEqual(counted.take(), ['1 listSpaces', '1 listBatches', '1 listQuarantines']);
    await refused(store.listSpaces(10, undefined, DEFAULT_TENANT), 'unavailable');
    counted.away.clear();
    await store.close();
  });

  it('have no manifests listed by whoever may not know of all of them', async () => {
    const source = new MemoryShardDirectory();
    const { store } = await openTwoShards({
      open: new Counted().open, source, isShared: true, clock: new ManualClock(NOON),
    });
    await Hand.on(store);
    assert.deepEqual(await store.listManifests(10), []);
    source.readRev = () => Promise.reject(new HoldfastError('unavailable', 'test', 'Away.'));
    await refused(store.listManifests(10), 'unavailable', 'directory-away');
    await store.close();
  });

  it('find a link by asking both, and from then on by asking one', async () => {
    const { counted, store, eve } = await twoHands();
    await grantLink(eve, 'secret');
    counted.take();
    assert.equal((await store.findLink('secret'))?.spaceId, eve.space.id);
    assert.deepEqual(counted.take().sort(), ['0 findLink', '1 findLink']);
    await store.findLink('secret');
    assert.deepEqual(counted.take(), ['1 findLink']);
    await store.close();
  });

  it('are opened when they are needed, and again a while after that failed', async () => {
    const counted = new Counted();
    counted.away.add(1);
    const clock = new ManualClock(NOON);
    const { store } = await openTwoShards({ open: counted.open, clock });
    await Hand.on(store);
    const eve = (): Promise<Hand> => Hand.on(store, { tenant: ACME, owner: 'eve' });
    await refused(eve(), 'unavailable', 'shard-away');
    counted.away.clear();
    await refused(eve(), 'unavailable', 'shard-away');
    clock.advance(REOPEN_MS);
    assert.equal(shardOfId((await eve()).space.id), 1);
    await store.close();
  });
});

describe('A tenant that was moved', () => {
  /** As the mover leaves it: all that shard 1 had is on shard 0 too, under its ids. */
  async function moved() {
    const { counted, store, directory, anna, eve } = await twoHands();
    const { batchId } = await begunBatch(eve);
    await directory.movePlace({ tenant: ACME, epochWas: 0, shard: 0, spaces: [eve.space.id] });
    return { counted, store, directory, anna, eve, batchId };
  }

  async function begunBatch(h: Hand): Promise<{ batchId: number }> {
    const { count } = await h.store.commit({
      op: 'begin-batch', spaceId: h.space.id, kind: 'restore', nodeId: h.root, asOf: 0,
      undoes: undefined, withSharing: false, actor: h.actor(),
    });
    return { batchId: count };
  }

  it('is asked for where it is now, and nothing of where it was is answered', async () => {
    const { counted, store, anna, eve, batchId } = await moved();
    counted.take();
    await refused(store.getSpace(eve.space.id), 'not-found');
    assert.deepEqual(counted.take(), ['0 getSpace']);
    assert.deepEqual((await store.listSpaces(10)).map(({ id }) => id), [anna.space.id]);
    assert.deepEqual(await store.listBatches({}, 10), []);
    assert.equal(await store.findBatch(batchId), undefined);
    assert.ok((await store.listManifests(10)).length === 0);
    await store.close();
  });

  it('is followed by whoever has not heard of it, once', async () => {
    const source = new MemoryShardDirectory();
    const counted = new Counted();
    const { store, directory } = await openTwoShards({
      open: counted.open, source, isShared: true, clock: new ManualClock(NOON),
    });
    const eve = await Hand.on(store, { tenant: ACME, owner: 'eve' });
    await source.movePlace({ tenant: ACME, epochWas: 0, shard: 0, spaces: [eve.space.id] });
    const old = counted.stores.get(1) as MemoryMetadataStore;
    old.commit = () => Promise.reject(
      new HoldfastError('unavailable', 'test', 'Moved.', { code: 'tenant-moved' }));
    counted.take();
    // The mover of this test has copied nothing, so the new shard does not know the space.
    await refused(eve.put(eve.root, 'f'), 'not-found');
    assert.deepEqual(counted.take(), ['1 commit', '0 commit']);
    assert.equal(directory.map.placeOf(ACME)?.epoch, 1);
    await store.close();
  });
});

describe('A new tenant', () => {
  const people = new Map<string, TenantId>();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => parseTenantId(`tenant-${letter}`));
  for (const tenant of names) people.set(`user-${tenant}`, tenant);

  async function open(source: MemoryShardDirectory, counted: Counted, isShared = false) {
    const clock = new ManualClock(NOON);
    const directory = await CachedDirectory.open({ source, clock, isShared });
    const pool = new ShardPool({ clock, open: counted.open });
    const store = new ShardedMetadataStore({
      directory, pool, clock, tenantOf: (one) => people.get(one.id) ?? tenantOf(one),
    });
    return { store, directory };
  }

  const begin = (store: ShardedMetadataStore, tenant: TenantId): Promise<Hand> =>
    Hand.on(store, { tenant, owner: `user-${tenant}` });

  const second = { name: 'second', url: 'sqlite:s.db', passwordPath: undefined, at: NOON };

  it('goes to the least loaded open shard, for good, and the default one to shard 0', async () => {
    const { store, directory } = await open(new MemoryShardDirectory(), new Counted());
    const old = await begin(store, names[0] as TenantId);
    assert.equal(directory.map.view.rev, 0, 'with one shard nothing has to be noted');
    await directory.addShard(second);
    const shards: number[] = [];
    for (const tenant of names.slice(1)) {
      shards.push(shardOfId((await begin(store, tenant)).space.id));
    }
    assert.deepEqual(shards, [1, 0, 1, 0, 1]);
    assert.equal((await begin(store, names[0] as TenantId)).space.id, old.space.id);
    assert.equal(directory.map.placeOf(names[0] as TenantId)?.shard, 0);
    assert.equal(shardOfId((await Hand.on(store)).space.id), 0);
    assert.equal(directory.map.placeOf(DEFAULT_TENANT)?.shard, 0);
    await directory.setShardState(0, 'draining');
    const late = parseTenantId('late');
    people.set('user-late', late);
    assert.equal(shardOfId((await begin(store, late)).space.id), 1);
    await store.close();
  });

  it('is not taken for new where it has a quota or a space on shard 0 already', async () => {
    const { store, directory } = await open(new MemoryShardDirectory(), new Counted());
    const [tenant] = names as [TenantId];
    await store.commit({ op: 'set-tenant-quota', tenant, quotaBytes: 100 });
    await directory.addShard(second);
    await directory.place(DEFAULT_TENANT, 0);
    assert.equal(shardOfId((await begin(store, tenant)).space.id), 0);
    assert.equal((await store.readTenantUsage(tenant, NOON)).quotaBytes, 100);
    await store.close();
  });

  it('has one place also when two machines begin at once', async () => {
    const source = new MemoryShardDirectory();
    const counted = new Counted();
    const one = await open(source, counted, true);
    const other = await open(source, counted, true);
    await source.addShard(second);
    await one.directory.refresh();
    const [tenant] = names as [TenantId];
    const ends = await Promise.all([one, other].map(({ store }) => begin(store, tenant)));
    assert.equal(ends[0]?.space.id, ends[1]?.space.id);
    assert.equal((await source.read()).places.length, 1);
    await one.store.close();
  });
});
