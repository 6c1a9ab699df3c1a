import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { readLedger } from '../../../src/durability/gc/ledger/read-ledger.ts';
import { bodyOf } from '../../../src/files/index.ts';
import { DAY_MS, GcWorld, HOUR_MS } from './world.ts';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-collector-'));
after(() => rm(folder, { recursive: true }));

describe('GarbageCollector', () => {
  let world: GcWorld;
  let count = 0;
  beforeEach(async (context) => {
    const seed = 500 + count++;
    world = new GcWorld({ seed, ledgerPath: join(folder, `${seed}.log`) });
    await world.open();
    if ('after' in context) context.after(() => world.end());
  });

  /** Files `0` to `count - 1`, each with a block of its own. */
  async function upload(count: number, sizeBytes = 600): Promise<void> {
    const { content, paper } = world.life;
    for (let at = 0; at < count; at++) {
      await content.claimed(async (claim) => {
        const body = bodyOf(Buffer.alloc(sizeBytes, `content ${at} `));
        const { manifest } = await content.receive(body, { claim });
        await paper.commitFile(`${at}`, { manifest, numbers: [] });
      });
    }
  }

  async function checkAllThere(from: number, to: number): Promise<void> {
    for (const { manifest } of world.paper.all()) {
      for (const { id } of await world.life.content.blocksOf(manifest)) {
        await world.life.store.get(id);
      }
    }
    assert.equal(world.paper.all().length, to - from);
  }

  it('erases replaced copies that nobody can need, each once it is written down why', async () => {
    const copy = (volumeId: number) =>
      ({ volumeId, diskId: 'd1', name: `v0000000${volumeId}.1.hv.bad-1` });
    const { ledger } = world.life;
    const erased: string[] = [];
    const collector = world.collectorWith({
      listDue: () => Promise.resolve([copy(1), copy(2), copy(3)]),
      justify: ({ volumeId }) => volumeId === 3 ? Promise.reject(new Error('a disk is silent'))
        : Promise.resolve(volumeId === 1 ? 'copied' : undefined),
      erase: ({ name }) => {
        erased.push(`${name} after entry ${ledger.head.seq}`);
        return Promise.resolve(true);
      },
    });
    assert.equal((await collector.run()).erasedCount, 1);
    assert.deepEqual(erased, ['v00000001.1.hv.bad-1 after entry 1']);
    const { entries } = await readLedger(world.options.ledgerPath);
    const entry = { seq: 1, act: 'erase', at: world.clock.now(), volume: 1, disk: 'd1' };
    assert.deepEqual(entries, [{ ...entry, name: 'v00000001.1.hv.bad-1', reason: 'copied' }]);
    assert.deepEqual(world.troubles.map(({ volumeId }) => volumeId), [3]);
  });

  it('gives the room of purged files back after a day, 14 days and another one', async () => {
    await upload(60);
    const { collector, store } = world.life;
    for (let at = 0; at < 40; at++) world.paper.purge(`${at}`);
    const before = store.state().blockCount;
    const first = await collector.run();
    assert.equal(first.census.unmetCount, 40);
    assert.equal(first.compacted.length, 0);
    world.clock.advance(DAY_MS - 1);
    assert.equal((await collector.run()).census.condemnedCount, 0);
    world.clock.advance(1);
    const second = await collector.run();
    assert.equal(second.census.condemnedCount, 40);
    assert.ok(second.compacted.length > 2);
    assert.ok(store.state().blockCount < before - 25, 'all but those in the open volume');
    world.clock.advance(14 * DAY_MS - 1);
    assert.equal((await collector.run()).inspectedCount, 0);
    world.clock.advance(1);
    const third = await collector.run();
    assert.deepEqual([third.inspectedCount, third.unlinked.length], [second.compacted.length, 0]);
    world.clock.advance(DAY_MS);
    const last = await collector.run();
    assert.equal(last.unlinked.length, second.compacted.length);
    assert.equal(last.freedBytes, second.compacted.reduce((sum, one) => sum + one.sizeBytes, 0));
    await checkAllThere(40, 60);
    await world.checkLedger();
    assert.deepEqual(world.troubles, []);
  });

  it('plans without moving or removing anything', async () => {
    await upload(60);
    const { collector } = world.life;
    for (let at = 0; at < 40; at++) world.paper.purge(`${at}`);
    await collector.run();
    world.clock.advance(DAY_MS);
    const names = world.disk.names();
    const plan = await collector.plan();
    assert.equal(plan.census.condemnedCount, 40);
    assert.ok(plan.toCompact.length > 2);
    assert.ok(plan.copyBytes < plan.reclaimedBytes);
    assert.deepEqual(world.disk.names(), names);
    const { compacted } = await collector.run();
    assert.deepEqual(compacted.map((one) => one.volumeId),
      plan.toCompact.map((use) => use.volumeId));
    assert.ok((await collector.plan()).trashBytes > 0);
  });

  it('holds when something refers to blocks that are gone, and finds them again', async () => {
    await upload(60);
    const { collector, store } = world.life;
    const kept = world.paper.all().slice(0, 40);
    for (let at = 0; at < 40; at++) world.paper.purge(`${at}`);
    await collector.run();
    world.clock.advance(DAY_MS);
    await collector.run();
    // Somebody puts an old copy of the database in place of the right one.
    for (const [at, file] of kept.entries()) await world.paper.commitFile(`old ${at}`, file);
    world.clock.advance(HOUR_MS);
    const report = await collector.run();
    assert.equal(report.held, 'absent-blocks');
    assert.deepEqual([report.compacted, report.unlinked], [[], []]);
    for (const { manifest } of world.paper.all()) {
      for (const { id } of await world.life.content.blocksOf(manifest)) await store.get(id);
    }
    assert.deepEqual([...new Set(world.troubles.map(({ what }) => what))],
      ['absent-blocks', 'rescue']);
    world.clock.advance(HOUR_MS);
    assert.equal((await collector.run()).held, undefined, 'they are back');
    world.clock.advance(13 * DAY_MS + 20 * HOUR_MS);
    assert.equal((await collector.run()).inspectedCount, 0, 'the time of the volumes runs anew');
  });

  it('holds when suddenly most of what is stored is garbage, until told otherwise', async () => {
    await world.die(false);
    world = new GcWorld({ ...world.options, limits: { condemnedShareMax: 0.5 } });
    await world.open();
    await upload(60);
    const { collector } = world.life;
    for (let at = 0; at < 55; at++) world.paper.purge(`${at}`);
    await collector.run();
    world.clock.advance(DAY_MS);
    assert.equal((await collector.plan()).held, 'much-garbage');
    const report = await collector.run();
    assert.deepEqual([report.held, report.compacted.length], ['much-garbage', 0]);
    const again = await collector.run({ despite: 'absent-blocks' });
    assert.equal(again.held, 'much-garbage');
    const released = await collector.run({ despite: 'much-garbage' });
    assert.ok(released.held === undefined && released.compacted.length > 0);
  });

  it('does nothing while it cannot read everything that is referred to', async () => {
    await upload(30);
    const { collector } = world.life;
    await world.paper.commitFile('damaged', { manifest: Buffer.from('???'), numbers: [] });
    world.paper.purge('1');
    for (let day = 0; day < 3; day++) {
      await assert.rejects(collector.run(), (error) => isKind(error, 'corrupt'));
      world.clock.advance(DAY_MS);
    }
    assert.equal(world.life.store.state().blockCount, 30);
    assert.equal(world.notes.countSuspects(world.clock.now()).count, 0);
  });

  it('takes a volume back, and collects it anew', async () => {
    await upload(60);
    const { collector, store } = world.life;
    for (let at = 0; at < 40; at++) world.paper.purge(`${at}`);
    await collector.run();
    world.clock.advance(DAY_MS);
    const { compacted: [first] } = await collector.run();
    assert.ok(first);
    const before = store.state().blockCount;
    await collector.restore(first.volumeId);
    assert.equal(store.state().blockCount, before + first.droppedCount);
    await assert.rejects(
      collector.restore(first.volumeId), (error) => isKind(error, 'not-found'));
    world.clock.advance(DAY_MS);
    assert.equal((await collector.run()).compacted.length, 0, 'it gets a day');
    world.clock.advance(DAY_MS);
    const { compacted } = await collector.run();
    assert.deepEqual(compacted.map(({ volumeId }) => volumeId), [first.volumeId]);
    await world.checkLedger();
  });

  it('leaves a run out after the clock has jumped, and while it is behind the ledger', async () => {
    await upload(60);
    for (let at = 0; at < 40; at++) world.paper.purge(`${at}`);
    const jumping = world.jumpingCollector();
    await jumping.collector.run();
    world.clock.advance(DAY_MS);
    await jumping.collector.run();
    jumping.offsetMs = 30 * DAY_MS;
    const unavailable = (error: unknown): boolean => isKind(error, 'unavailable');
    await assert.rejects(jumping.collector.run(), unavailable);
    jumping.offsetMs = -DAY_MS;
    await assert.rejects(jumping.collector.run(), unavailable);
    await assert.rejects(jumping.collector.run(), unavailable, 'still behind');
    jumping.offsetMs = 0;
    await assert.rejects(jumping.collector.run(), unavailable);
    await jumping.collector.run();
    assert.ok((await world.life.store.keeper.listTrash()).length > 0);
  });

  it('is busy while a run is under way', async () => {
    await upload(3);
    const { collector } = world.life;
    const run = collector.run();
    await assert.rejects(collector.run(), (error) => isKind(error, 'busy'));
    await assert.rejects(collector.plan(), (error) => isKind(error, 'busy'));
    await run;
    await collector.plan();
  });

  it('stops when it is told to, and goes on the next time', async () => {
    await upload(60);
    for (let at = 0; at < 40; at++) world.paper.purge(`${at}`);
    const { collector } = world.life;
    await collector.run();
    world.clock.advance(DAY_MS);
    const abort = new AbortController();
    const run = collector.run({ signal: abort.signal });
    const reason = new Error('the server is stopping');
    abort.abort(reason);
    await assert.rejects(run, (error) => error === reason);
    const { compacted } = await collector.run();
    assert.ok(compacted.length > 0);
    await checkAllThere(40, 60);
  });

  it('gives back room in the volume that is being written, which is not full', async () => {
    await upload(5);
    world.paper.purge('0');
    world.paper.purge('1');
    const { collector, store } = world.life;
    const open = await store.keeper.useOfOpen();
    await collector.run();
    world.clock.advance(DAY_MS);
    assert.deepEqual((await collector.plan()).toCompact.map(({ volumeId }) => volumeId),
      [open?.volumeId]);
    const { compacted } = await collector.run();
    assert.deepEqual(compacted.map(({ movedCount, droppedCount }) => [movedCount, droppedCount]),
      [[3, 2]]);
    assert.notEqual((await store.keeper.useOfOpen())?.volumeId, open?.volumeId);
    await checkAllThere(2, 5);
    await world.checkLedger();
  });

  it('merges small volumes, and leaves one alone that has no other', async () => {
    await world.die(false);
    world = new GcWorld({ ...world.options, limits: { smallBytes: 1024 ** 2 } });
    await world.open();
    const { collector, store } = world.life;
    const seal = async (): Promise<void> => {
      const open = await store.keeper.useOfOpen();
      await store.keeper.sealOpen(open?.volumeId ?? 0);
    };
    await upload(3);
    await seal();
    world.clock.advance(2 * DAY_MS);
    assert.deepEqual((await collector.run()).compacted, [], 'it would only be written anew');
    await upload(5);
    await seal();
    world.clock.advance(2 * DAY_MS);
    const { compacted } = await collector.run();
    assert.deepEqual(compacted.map(({ movedCount }) => movedCount).sort(), [2, 3]);
    assert.equal((await store.keeper.useOfOpen())?.recordCount, 5);
    await checkAllThere(0, 5);
  });

  it('compacts on a disk on which users can write nothing any more', async () => {
    await world.die(false);
    world = new GcWorld({ ...world.options, reserveBytes: 32 * 1024 });
    world.disk.capacityBytes = 96 * 1024;
    await world.open();
    await assert.rejects(upload(200), (error) => isKind(error, 'full'));
    const stored = world.paper.all().length;
    for (let at = 0; at < stored; at += 2) world.paper.purge(`${at}`);
    const { collector } = world.life;
    await collector.run();
    world.clock.advance(DAY_MS);
    const { compacted } = await collector.run();
    assert.ok(compacted.length > 0, 'half of the reserve is for this');
    const isFull = (): boolean => world.life.store.state().refusesWrites === 'full';
    // Each time there is room for a little more, until there is enough for everybody.
    for (let round = 0; round < 4 && isFull(); round++) {
      for (const days of [14, 1]) {
        world.clock.advance(days * DAY_MS);
        await collector.run();
      }
      world.clock.advance(2_000); // The store looks now and then.
      await world.settle(new Promise((resolve) => void setImmediate(resolve)));
    }
    assert.ok(!isFull());
    assert.ok(world.troubles.every(({ error }) => isKind(error, 'full')));
    await checkAllThere(0, stored - Math.ceil(stored / 2));
    await world.checkLedger();
  });
});
