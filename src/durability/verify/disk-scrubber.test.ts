import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { EagerBudget } from './budget.ts';
import type { Budget } from './budget.ts';
import { DiskScrubber } from './disk-scrubber.ts';
import { MemoryDisk, writeVolume } from './testing/memory-disk.ts';
import type { VolumePlan } from './testing/memory-disk.ts';
import { HOUR_MS, VerifyWorld } from './testing/verify-world.ts';

const DAY_MS = 24 * HOUR_MS;
let world: VerifyWorld;
let disk: MemoryDisk;
let scrubber: DiskScrubber;

const block = (label: string): Buffer => Buffer.alloc(2_000, `${label} `);

function write(plan: VolumePlan) {
  const volume = writeVolume(plan);
  disk.files.set(volume.name, volume.bytes);
  return volume;
}

function run(budget: Budget = new EagerBudget(1024 * 1024), signal = world.signal) {
  return scrubber.run(budget, signal);
}

beforeEach(() => {
  world = new VerifyWorld();
  disk = new MemoryDisk();
  const { store, desk, clock } = world;
  scrubber = new DiskScrubber({
    disks: () => [disk.asDisk('local')], store, desk, clock, confirmAfterMs: 0,
  });
});

describe('DiskScrubber', () => {
  it('says that there is nothing to check, not that all is well', async () => {
    const outcome = await run();
    assert.equal(outcome.result, 'nothing-to-do');
    assert.match(outcome.reason ?? '', /no volumes/);
  });

  it('counts what it has checked, and how long ago', async () => {
    const { bytes } = write({ id: 1, isSealed: true, batches: [[block('a')]] });
    const before = world.clock.now();
    await run();
    world.clock.advance(3 * HOUR_MS);
    const { coverage } = scrubber.status();
    assert.deepEqual(coverage, {
      checked: bytes.length, total: bytes.length, sinceMs: before, oldestUncheckedMs: before,
    });
    write({ id: 2, isSealed: true, batches: [[block('b')]] });
    world.clock.advance(7 * DAY_MS);
    assert.equal(scrubber.status().coverage.checked, 0, 'too long ago counts no more');
  });

  it('takes the newest volume first, and old ones when their time has come', async () => {
    write({ id: 1, isSealed: true, batches: [[block('a')]] });
    write({ id: 2, isSealed: true, batches: [[block('b')]] });
    await run();
    write({ id: 3, isSealed: true, batches: [[block('c')]] });
    write({ id: 4, isSealed: true, batches: [[block('d')]] });
    disk.opened.length = 0;
    await run();
    const looked = disk.opened.slice(4).map((name) => name.slice(8, 9));
    assert.deepEqual(looked, ['4', '3']);
    world.clock.advance(6 * DAY_MS);
    disk.opened.length = 0;
    await run();
    assert.equal(disk.opened.length, 8, 'each is looked at and checked again before the week ends');
  });

  it('reads on where a growing volume ended, without reading the rest again', async () => {
    const batches = [[Buffer.alloc(20_000, 'a')], [Buffer.alloc(20_000, 'b')]];
    const first = write({ id: 1, batches });
    await run();
    let lowest = Infinity;
    disk.onRead = (_name, position) => {
      if (position > 0) lowest = Math.min(lowest, position);
    };
    const grown = write({ id: 1, batches: [...batches, [block('c')]] });
    const flipped = (grown.places.values().toArray()[2] ?? 0) + 100;
    disk.flip(grown.name, flipped);
    await run();
    assert.equal(lowest >= first.dataEnd - 2 * 4096, true, `read from ${lowest}`);
    assert.deepEqual(world.kinds(), ['payload-damaged']);
  });

  it('goes on in the middle of a volume after it was stopped', async () => {
    const many = Array.from({ length: 700 }, (_, n) => [Buffer.alloc(200_000, `${n} `)]);
    const volume = write({ id: 1, isSealed: true, batches: many });
    const stop = new AbortController();
    let taken = 0;
    const stopping: Budget = {
      isEager: false,
      take: async (amount) => {
        taken += amount;
        if (taken > 100_000_000) stop.abort(new Error('killed'));
        stop.signal.throwIfAborted();
      },
      rest: () => undefined,
    };
    await assert.rejects(run(stopping, stop.signal), /killed/);
    const outcome = await run();
    const wholeBytes = volume.bytes.length;
    assert.ok(outcome.checked < wholeBytes - 50_000_000, `${outcome.checked} of ${wholeBytes}`);
    assert.equal(scrubber.status().coverage.checked, wholeBytes);
  });

  /** Wrong bytes for the first reading, right ones for the second. */
  function wrongOnce(name: string, at: number): void {
    let isWrong = false;
    disk.onRead = () => {
      // The first opening is for the size, the second for the check, the third to confirm.
      const shallBeWrong = disk.opened.length === 2;
      if (shallBeWrong !== isWrong) disk.flip(name, at);
      isWrong = shallBeWrong;
    };
  }

  it('tells of a read of a sealed volume that went wrong once', async () => {
    const { name, places } = write({ id: 1, isSealed: true, batches: [[block('a')]] });
    wrongOnce(name, (places.values().toArray()[0] ?? 0) + 90);
    await run();
    assert.equal(disk.opened.length, 3);
    assert.deepEqual(world.kinds(), ['unsteady-read']);
  });

  it('keeps silent about a write that was under way', async () => {
    const { name, places } = write({ id: 1, batches: [[block('a')], [block('b')]] });
    wrongOnce(name, (places.values().toArray()[0] ?? 0) + 90);
    await run();
    assert.equal(disk.opened.length, 3);
    assert.deepEqual(world.kinds(), []);
  });

  it('takes back a finding when the volume was put right', async () => {
    const { name, bytes } = write({ id: 1, isSealed: true, batches: [[block('a')]] });
    const sound = Buffer.from(bytes);
    disk.flip(name, 4_200);
    await run();
    assert.deepEqual(world.kinds(), ['payload-damaged']);
    world.clock.advance(2 * HOUR_MS);
    await run();
    const [finding] = world.store.listFindings({ limit: 10 });
    assert.equal(finding?.times, 2, 'a damaged volume is looked at again soon');
    disk.files.set(name, sound);
    world.clock.advance(2 * HOUR_MS);
    await run();
    assert.deepEqual(world.kinds(), []);
    assert.equal(world.store.listFindings({ limit: 10 })[0]?.state, 'fixed');
  });

  it('tells of a disk that does not answer, and lets its clock run on', async () => {
    write({ id: 1, isSealed: true, batches: [[block('a')]] });
    await run();
    const list = disk.list.bind(disk);
    disk.list = () => Promise.reject(Object.assign(new Error('gone'), { code: 'EIO' }));
    await run();
    assert.deepEqual(world.open(), ['unreadable at disk local']);
    assert.equal(world.store.listUnits('disk-scrubber').length, 1, 'its clock runs on');
    disk.list = list;
    world.clock.advance(1_000);
    await run();
    assert.deepEqual(world.open(), []);
  });

  it('forgets what it noted of a retired disk, and not of a silent one', async () => {
    const { name } = write({ id: 1, isSealed: true, batches: [[block('a')]] });
    disk.flip(name, 4_200);
    await run();
    const { store, desk, clock } = world;
    let goneIds: string[] = [];
    const without = new DiskScrubber({
      disks: () => [], store, desk, clock, confirmAfterMs: 0, goneIds: () => goneIds,
    });
    await without.run(new EagerBudget(1024), world.signal);
    assert.deepEqual(world.kinds(), ['payload-damaged']);
    goneIds = ['local'];
    await without.run(new EagerBudget(1024), world.signal);
    assert.deepEqual(world.kinds(), []);
    assert.deepEqual(store.listUnits('disk-scrubber'), []);
  });

  it('notes no point behind damage, so that what was stopped there tells of it later', async () => {
    const many = Array.from({ length: 700 }, (_, n) => [Buffer.alloc(200_000, `${n} `)]);
    const volume = write({ id: 1, isSealed: true, batches: many });
    disk.flip(volume.name, (volume.places.values().toArray()[3] ?? 0) + 500);
    const stop = new AbortController();
    let taken = 0;
    const stopping: Budget = {
      isEager: false,
      take: async (amount) => {
        taken += amount;
        if (taken > 100_000_000) stop.abort(new Error('killed'));
        stop.signal.throwIfAborted();
      },
      rest: () => undefined,
    };
    await assert.rejects(run(stopping, stop.signal), /killed/);
    await run();
    assert.deepEqual(world.kinds(), ['payload-damaged']);
  });
});
