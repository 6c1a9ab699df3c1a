/** Moves between two files. Random work while a tenant moves: moving-against-memory tests. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { HoldfastError } from '../../../base/errors.ts';
import { parseTenantId } from '../../../base/ids.ts';
import { assertConsistent } from '../../conformance/replay.ts';
import { Hand, refused } from '../../conformance/hand.ts';
import { MemoryShardDirectory } from '../../shards/stores/memory/memory-directory.ts';
import { shardOfId } from '../../shard-number.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { movedByAnother } from '../../move/move-refusals.ts';
import { MemoryMoveJournal } from '../../move/move-record.ts';
import type { MovePace } from '../../move/tenant-move.ts';
import { fillTenant, rowsOf } from '../../move/tenant-rows.conformance.ts';
import type { Row, TenantRows } from '../../move/tenant-rows.ts';
import { MovingTenant, until } from '../../move/testing/moving-tenant.ts';

const ACME = parseTenantId('acme');
const OTHER = parseTenantId('other');

/** Whoever holds the rows from now on acts so. Answers how it ends. */
function whenHeld<N extends 'apply' | 'readLog' | 'setPlacement'>(
  rows: TenantRows, name: N, act: (before: TenantRows[N]) => TenantRows[N],
): () => void {
  const hold = rows.hold.bind(rows);
  rows.hold = async (tenant) => {
    const held = await hold(tenant);
    held[name] = act((held[name] as () => unknown).bind(held) as TenantRows[N]);
    return held;
  };
  return () => {
    rows.hold = hold;
  };
}

describe('A tenant that moves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  let made = 0;
  let directory: MemoryShardDirectory;
  let journal: MemoryMoveJournal;
  let stores: [SqliteMetadataStore, SqliteMetadataStore];
  let moving: MovingTenant;
  let h: Hand;

  const fileOf = (shard: number): string => join(folder, `${made}-${shard}.db`);
  const openMover = async (pace: Partial<MovePace> = {}): Promise<void> => {
    moving = await MovingTenant.open({ stores, directory, journal, pace });
  };
  beforeEach(async () => {
    made += 1;
    directory = new MemoryShardDirectory();
    await directory.addShard({ name: 'b', url: 'sqlite:b.db', passwordPath: undefined, at: 0 });
    journal = new MemoryMoveJournal();
    const open = (shard: number): Promise<SqliteMetadataStore> =>
      SqliteMetadataStore.open({ file: fileOf(shard), create: true, shard });
    stores = [await open(0), await open(1)];
    await openMover();
    h = await fillTenant(stores[0], ACME);
  });
  afterEach(async () => {
    await moving.mover.close();
    for (const store of stores) await store.close();
  });

  it('is over there what it was here, row by row, and its neighbour stays', async (t) => {
    await fillTenant(stores[0], OTHER);
    const neighbour = await rowsOf(stores[0].tenantRows, OTHER);
    const before = await rowsOf(stores[0].tenantRows, ACME);
    const { freezeMs } = await moving.move(1, ACME);
    assert.deepEqual(await rowsOf(stores[1].tenantRows, ACME), before);
    assert.deepEqual(await rowsOf(stores[0].tenantRows, OTHER), neighbour);
    t.diagnostic(`frozen for ${Math.round(freezeMs ?? 0)} ms`);
    assert.ok(freezeMs !== undefined);
    assert.equal(await moving.shardOf(ACME), 1);
    await refused(h.put(h.root, 'too late'), 'unavailable', 'tenant-moved');
    const there = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-ann' });
    const { id } = await there.put(there.root, 'over there');
    assert.equal(shardOfId(id), 1, 'what is made there has numbers of there');
    assert.equal((await stores[1].listGrants(there.space.id)).length, 2);
    await assertConsistent(stores[1], there.space.id);
    await moving.finish(ACME);
    for (const all of (await rowsOf(stores[0].tenantRows, ACME)).values()) {
      assert.deepEqual(all, []);
    }
  });

  it('comes back with what it was given over there, and nothing of its copy is lost', async () => {
    await moving.move(1, ACME);
    const there = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-ann' });
    await there.put(there.root, 'over there');
    const late = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-late' });
    await late.put(late.root, 'in a space made over there');
    const before = await rowsOf(stores[1].tenantRows, ACME);
    await moving.back(ACME);
    assert.equal(await moving.shardOf(ACME), 0);
    assert.deepEqual(await rowsOf(stores[0].tenantRows, ACME), before);
    const home = await Hand.on(stores[0], { tenant: ACME, owner: 'acme-late' });
    assert.deepEqual(await home.names(home.root), ['in a space made over there']);
    await home.put(home.root, 'written at home');
    await moving.back(ACME);
    const again = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-late' });
    assert.deepEqual(await again.names(again.root),
      ['in a space made over there', 'written at home']);
  });

  it('is left alone by a mover with other notes until its move is over', async () => {
    await moving.move(1, ACME);
    const other = await MovingTenant.open({ stores, directory, journal: new MemoryMoveJournal() });
    await other.mover.start(ACME, 0);
    await until(() => other.mover.get(ACME).trouble !== undefined, 'it is refused');
    assert.match(other.mover.get(ACME).trouble ?? '', /Another server has begun/);
    await other.mover.abort(ACME);
    await until(() => other.mover.get(ACME).state === 'aborted', 'it is given up');
    await moving.back(ACME);
    await moving.finish(ACME);
    await other.move(1, ACME);
    assert.equal(await moving.shardOf(ACME), 1);
    await other.mover.close();
  });

  it('loses nothing to old notes of a move that was taken back', async () => {
    await moving.move(1, ACME);
    const old = new MemoryMoveJournal();
    for (const record of await journal.list()) await old.put({ ...record, wish: 'finish' });
    await moving.back(ACME);
    await moving.mover.close();
    const before = await rowsOf(stores[0].tenantRows, ACME);
    moving = await MovingTenant.open({ stores, directory, journal: old });
    await until(() => moving.mover.get(ACME).trouble !== undefined, 'it stands still');
    assert.deepEqual(await rowsOf(stores[0].tenantRows, ACME), before);
    assert.ok([...before.values()].some((rows) => rows.length > 0));
  });

  it('is not flipped when a row of the copy was changed by hand', async () => {
    for (const plant of [
      'UPDATE node SET size_bytes = size_bytes + 1 WHERE canon = \'file 3\'',
      'DELETE FROM property WHERE name = \'Shape\'',
      'INSERT INTO dav_lock SELECT space_id, \'extra\', node_id, scope, depth, owner_xml, holder, '
        + 'expires_at FROM dav_lock',
    ]) {
      // Changed when all is copied, before it is compared.
      await moving.mover.close();
      let isPlanted = false;
      const put = journal.put.bind(journal);
      journal.put = async (record) => {
        if (record.state === 'compare' && !isPlanted) {
          isPlanted = true;
          const database = new Database(fileOf(1));
          const { changes } = database.prepare(plant).run();
          database.close();
          assert.ok(changes > 0, plant);
        }
        await put(record);
      };
      await openMover();
      await moving.mover.start(ACME, 1);
      await until(() => moving.mover.get(ACME).isPaused, 'the difference is found');
      assert.match(moving.mover.get(ACME).trouble ?? '', /copy differs/);
      assert.equal(await moving.shardOf(ACME), 0);
      await h.put(h.root, 'the tenant works on');
      await moving.mover.abort(ACME);
      await moving.reached('aborted', ACME);
      journal.put = put;
    }
    await moving.move(1, ACME);
  });

  it('thaws when a freeze takes too long, tries again, and is moved once it can be', async () => {
    await moving.mover.close();
    const { tenantRows } = stores[0];
    let slow = 2;
    let frozenMs = 0;
    whenHeld(tenantRows, 'readLog', (readLog) => async (...args) => {
      const { state } = await tenantRows.findPlacement(ACME);
      if (state === 'frozen' && slow > 0) {
        slow -= 1;
        const begun = performance.now();
        await moving.retried(async (store) => store.commit(h.putChange(h.root, `waits ${slow}`)),
          ACME);
        frozenMs = Math.max(frozenMs, performance.now() - begun);
      }
      return readLog(...args);
    });
    await openMover({ freezeMaxMs: 200 });
    await moving.mover.start(ACME, 1);
    await moving.reached('reverse', ACME);
    assert.equal(moving.mover.get(ACME).freezeFailures, 2);
    assert.ok(frozenMs >= 100, 'it was frozen indeed');
    const there = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-ann' });
    const names = await there.names(there.root);
    assert.ok(names.includes('waits 0') && names.includes('waits 1'));
  });

  it('is thawed in the end, however often that fails, and when the flip cannot be noted',
    async () => {
      await moving.mover.close();
      const put = journal.put.bind(journal);
      let isFull = true;
      journal.put = async (record) => {
        if (record.state === 'flip' && isFull) {
          isFull = false;
          throw new HoldfastError('full', 'test', 'The disk is full.');
        }
        await put(record);
      };
      const { tenantRows } = stores[0];
      let failures = 3;
      const told: string[] = [];
      whenHeld(tenantRows, 'setPlacement', (setPlacement) => async (tenant, from, to) => {
        if (from.state === 'frozen' && to.state === 'home' && failures > 0) {
          failures -= 1;
          const { trouble, state } = moving.mover.get(ACME);
          told.push(`${state}: ${trouble}`);
          throw new HoldfastError('unavailable', 'test', 'The database is away.');
        }
        return setPlacement(tenant, from, to);
      });
      await openMover();
      await moving.mover.start(ACME, 1);
      await until(() => failures === 0, 'the thaw fails');
      await moving.retried((store) => store.commit(h.putChange(h.root, 'thawed')), ACME);
      assert.match(told.at(-1) ?? '', /^freeze: Changes of the tenant are refused until/);
      await until(() => moving.mover.get(ACME).state === 'reverse'
        || moving.mover.get(ACME).isPaused, 'it goes on');
      if (moving.mover.get(ACME).isPaused) await moving.mover.resume(ACME);
      await moving.reached('reverse', ACME);
      const there = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-ann' });
      assert.ok((await there.names(there.root)).includes('thawed'));
    });

  it('is thawed and moved by another process when the one before may write no more', async () => {
    await moving.mover.close();
    let isOurs = true;
    const { tenantRows } = stores[1];
    const rest = whenHeld(tenantRows, 'setPlacement', (setPlacement) => async (...args) => {
      if (args[2].state === 'frozen') isOurs = false; // Stopped where all is carried over.
      return setPlacement(...args);
    });
    moving = await MovingTenant.open({ stores, directory, journal, isOurs: () => isOurs });
    await moving.mover.start(ACME, 1);
    await until(() => /Another server/.test(moving.mover.get(ACME).trouble ?? ''), 'it is stopped');
    await refused(h.put(h.root, 'frozen'), 'unavailable', 'tenant-frozen');
    rest();
    const notes = new MemoryMoveJournal();
    for (const record of await journal.list()) await notes.put(record);
    const parts = { stores, directory, journal: notes };
    const waiting = await MovingTenant.open({ ...parts, settleMs: 3_600_000 });
    await waiting.retried((store) => store.commit(h.putChange(h.root, 'thawed')), ACME);
    await until(() => waiting.mover.get(ACME).state === 'tail', 'the thaw is noted');
    await waiting.mover.close();
    const other = await MovingTenant.open(parts);
    await other.reached('reverse', ACME);
    const there = await Hand.on(stores[1], { tenant: ACME, owner: 'acme-ann' });
    assert.ok((await there.names(there.root)).includes('thawed'));
    await other.mover.close();
  });

  for (const asleepIn of ['tail', 'clean'] as const) {
    it(`keeps all while a mover sleeps in ${asleepIn} and another goes on`, async () => {
      await moving.mover.close();
      const toSleep = Promise.withResolvers<void>();
      const toWake = Promise.withResolvers<void>();
      const shard = asleepIn === 'tail' ? 1 : 0;
      const stateOf = (): string => moving.mover.get(ACME).state;
      const rest = whenHeld(stores[shard].tenantRows, 'apply', (apply) => async (...args) => {
        if (stateOf() === asleepIn && args[2].length > 0) {
          toSleep.resolve();
          await toWake.promise;
        }
        return apply(...args);
      });
      let isOurs = true;
      let isSaved = false;
      const notes = new MemoryMoveJournal();
      const put = journal.put.bind(journal);
      journal.put = async (record) => {
        if (!isOurs) throw movedByAnother();
        if (record.state === 'tail' && !isSaved) {
          isSaved = true;
          await h.put(h.root, 'again', 1); // There is something to follow.
        }
        await put(record);
      };
      await openMover();
      await moving.mover.start(ACME, 1);
      if (asleepIn === 'clean') {
        await moving.reached('reverse', ACME);
        await moving.mover.finish(ACME);
      }
      let before: Map<string, Row[]>[];
      try {
        await toSleep.promise;
        isOurs = false;
        rest();
        for (const record of await journal.list()) await notes.put(record);
        const other = await MovingTenant.open({ stores, directory, journal: notes });
        await other.reached(asleepIn === 'tail' ? 'reverse' : 'done', ACME);
        if (asleepIn === 'clean') await other.move(0, ACME);
        const home = stores[await other.shardOf(ACME)];
        assert.ok(home !== undefined);
        const live = await Hand.on(home, { tenant: ACME, owner: 'acme-ann' });
        await live.put(live.root, 'again', 2);
        await live.put(live.root, 'late');
        await other.mover.close();
        before = [await rowsOf(stores[0].tenantRows, ACME),
          await rowsOf(stores[1].tenantRows, ACME)];
      } finally {
        toWake.resolve();
      }
      await until(() => moving.mover.get(ACME).trouble !== undefined, 'it is refused');
      assert.match(moving.mover.get(ACME).trouble ?? '', /Another server/);
      assert.deepEqual([await rowsOf(stores[0].tenantRows, ACME),
        await rowsOf(stores[1].tenantRows, ACME)], before);
    });
  }

  it('is paused, goes on, and is given up without a trace', async () => {
    await moving.mover.close();
    await openMover({ rowsPerSecond: 50 });
    await moving.mover.start(ACME, 1);
    await until(() => moving.mover.get(ACME).state === 'copy', 'copying');
    await moving.mover.pause(ACME);
    const { isPaused } = moving.mover.get(ACME);
    assert.ok(isPaused);
    await assert.rejects(moving.mover.back(ACME), (error) =>
      error instanceof HoldfastError && error.code === 'move-too-late');
    await assert.rejects(moving.mover.start(ACME, 1), (error) =>
      error instanceof HoldfastError && error.code === 'move-under-way');
    await moving.mover.resume(ACME);
    await moving.mover.abort(ACME);
    await until(() => moving.mover.get(ACME).state === 'aborted', 'given up');
    for (const all of (await rowsOf(stores[1].tenantRows, ACME)).values()) {
      assert.deepEqual(all, []);
    }
    await h.put(h.root, 'where it was');
    assert.deepEqual(await stores[0].tenantRows.readLog(ACME, 1), []);
  });

  it('does not go where spaces of its own name are at home', async () => {
    await Hand.on(stores[1], { tenant: ACME, owner: 'stranger' });
    await moving.mover.start(ACME, 1);
    await until(() => moving.mover.get(ACME).isPaused, 'refused');
    assert.match(moving.mover.get(ACME).trouble ?? '', /count as being at home/);
    await assert.rejects(moving.mover.start(parseTenantId('nobody'), 0), (error) =>
      error instanceof HoldfastError && error.code === 'is-there');
  });
});
