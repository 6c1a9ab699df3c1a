import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { crc32, zstdCompressSync } from 'node:zlib';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../../base/errors.ts';
import { EagerBudget } from '../budget.ts';
import type { Budget } from '../budget.ts';
import { MemoryManifests, VerifyWorld } from '../testing/verify-world.ts';
import { verifyReport, verifyReportText } from '../verify-report.ts';
import { Reconciler } from '../reconciler.ts';
import { noteRun } from '../verifier-schedule.ts';
import { objectInventory } from './object-inventory.ts';
import { ObjectMetadataScan } from './object-metadata-scan.ts';
import { ObjectScrubber } from './object-scrubber.ts';
import { noteAbsent } from './object-verifiers.ts';
import { ObjectTrashInspector } from './object-trash-inspector.ts';
import type { StoredObject, StoredObjects, TrashedObject } from './stored-objects.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const PAGE = 7;

/** A store of objects that can be spoiled. */
class MemoryObjects implements StoredObjects {
  maySeal = false;
  readonly trash: TrashedObject[] = [];
  readonly bytes = new Map<string, Buffer>();
  isAway = false;
  /** Wrong this many times, then right. */
  glitches = 0;
  reads = 0;

  add(text: string): StoredObject {
    const bytes = Buffer.from(text);
    const id = hash('sha256', bytes);
    this.bytes.set(id, bytes);
    return { id, sizeBytes: bytes.length };
  }

  async *list(after: string | undefined): AsyncGenerator<readonly StoredObject[]> {
    const ids = [...this.bytes.keys()].filter((id) => after === undefined || id > after).sort();
    for (let at = 0; at < ids.length; at += PAGE) {
      this.#check();
      yield ids.slice(at, at + PAGE)
        .map((id) => ({ id, sizeBytes: this.bytes.get(id)?.length ?? 0 }));
    }
    this.#check();
  }

  async read(id: string): Promise<Buffer | undefined> {
    this.#check();
    this.reads += 1;
    if (this.glitches > 0) {
      this.glitches -= 1;
      return Buffer.from('glitch');
    }
    return this.bytes.get(id);
  }

  async *listTrash(): AsyncGenerator<readonly TrashedObject[]> {
    this.#check();
    yield this.trash;
  }

  /** In the bucket it lies compressed. */
  addPacked(text: string): StoredObject {
    const bytes = Buffer.from(text);
    const id = hash('sha256', bytes);
    const payload = zstdCompressSync(bytes);
    const header = Buffer.alloc(64);
    header.write('HFR1');
    header.set([1, 3, 0, 1], 4);
    header.writeUInt32LE(payload.length, 8);
    header.writeUInt32LE(bytes.length, 12);
    header.write(id, 16, 'hex');
    header.writeUInt32LE(crc32(payload), 48);
    header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
    this.bytes.set(id, Buffer.concat([header, payload]));
    this.maySeal = true;
    return { id, sizeBytes: bytes.length };
  }

  #check(): void {
    if (this.isAway) throw new HoldfastError('unavailable', 'test', 'The store is away.');
  }
}

let world: VerifyWorld;
let objects: MemoryObjects;
const eager = (): Budget => new EagerBudget(1_000_000);
const everything = { everything: true };

beforeEach(() => {
  world = new VerifyWorld();
  objects = new MemoryObjects();
});

describe('ObjectScrubber', () => {
  let scrubber: ObjectScrubber;
  let stored: StoredObject[];
  beforeEach(() => {
    scrubber = new ObjectScrubber({ ...world, objects });
    stored = Array.from({ length: 600 }, (_, number) => objects.add(`object ${number}`));
  });

  const run = (options = {}) => scrubber.run(eager(), world.signal, options);

  it('reads every byte once in a cycle, and again in the next', async () => {
    const sum = stored.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    const first = await run();
    assert.deepEqual([first.checked, first.reports, objects.reads], [sum, 0, stored.length]);
    const { coverage } = scrubber.status();
    assert.deepEqual([coverage.checked, coverage.total], [sum, sum]);
    assert.equal((await run()).checked, 0, 'nothing is due');
    world.clock.advance(29 * DAY_MS);
    assert.equal((await run()).checked, sum);
    assert.deepEqual(world.open(), []);
  });

  it('does not call checked what has not been read', async () => {
    const stop = new AbortController();
    let left = 100;
    const few: Budget = {
      ...eager(), isEager: true, rest: () => undefined,
      take: (_, signal) => {
        if (left-- <= 0) stop.abort(new Error('enough'));
        signal.throwIfAborted();
        return Promise.resolve();
      },
    };
    await assert.rejects(scrubber.run(few, stop.signal), /enough/);
    const { checked, total } = scrubber.status().coverage;
    assert.ok(checked > 0 && checked < total / 2, `${checked} of ${total}`);
    await run();
    assert.equal(scrubber.status().coverage.checked, total);
  });

  it('finds bytes that are others, wherever they lie, until they are put right', async () => {
    const [one] = stored;
    const ids = stored.map(({ id }) => id).sort();
    const spoiled = [ids[0], ids.at(-1), one?.id].map(String);
    const right = spoiled.map((id) => objects.bytes.get(id) as Buffer);
    for (const id of spoiled) objects.bytes.set(id, Buffer.from('others'));
    await run();
    assert.deepEqual(world.open(), [...new Set(spoiled)]
      .map((id) => `hash-differs at object of block ${id.slice(0, 16)}`).sort());
    for (const [at, id] of spoiled.entries()) objects.bytes.set(id, right[at] as Buffer);
    world.clock.advance(1000);
    await run(everything);
    assert.deepEqual(world.open(), []);
  });

  it('takes a glitch on the way for a notice, and a block that has left for nothing', async () => {
    objects.glitches = 1;
    await run(everything);
    assert.deepEqual(world.kinds(), ['unsteady-read']);
    world.clock.advance(1000);
    const ids = stored.map(({ id }) => id).sort();
    const list = objects.list.bind(objects);
    objects.list = async function* listed(after) {
      for await (const page of list(after)) {
        yield page;
        objects.bytes.delete(ids[300] ?? '');
      }
    };
    await run(everything);
    assert.deepEqual(world.open(), [], 'the next check of that part was clean');
  });

  it('reads what is sealed, and finds damage in it', async () => {
    const sealed = objects.addPacked('sealed '.repeat(100));
    await run(everything);
    assert.deepEqual(world.open(), []);
    const bytes = Buffer.from(objects.bytes.get(sealed.id) ?? '');
    for (const at of [20, 50, 62, bytes.length - 1]) {
      const spoiled = Buffer.from(bytes);
      spoiled[at] = (spoiled[at] as number) ^ 1;
      objects.bytes.set(sealed.id, spoiled);
      world.clock.advance(1000);
      await run(everything);
      assert.equal(world.open().length, 1, `byte ${at}`);
      objects.bytes.set(sealed.id, bytes);
      world.clock.advance(1000);
      await run(everything);
      assert.deepEqual(world.open(), []);
    }
  });

  it('says nothing is well or missing while the store is away', async () => {
    objects.isAway = true;
    await assert.rejects(run(), (error) => isKind(error, 'unavailable'));
    assert.equal(scrubber.status().coverage.total, 0);
    assert.deepEqual(world.open(), []);
  });
});

describe('ObjectMetadataScan', () => {
  let source: MemoryManifests;
  let scan: ObjectMetadataScan;
  let stored: StoredObject[];
  beforeEach(() => {
    source = new MemoryManifests();
    scan = new ObjectMetadataScan({ ...world, objects, source, entriesMax: 64 });
    stored = Array.from({ length: 300 }, (_, number) => objects.add(`object ${number}`));
    for (const [number, block] of stored.entries()) source.add(number + 1, [block]);
    objects.add('needed by nothing');
  });

  const run = () => scan.run(eager(), world.signal, everything);

  it('meets every reference once, however little memory there is', async () => {
    const outcome = await run();
    assert.deepEqual([outcome.checked, outcome.reports], [stored.length, 0]);
    assert.deepEqual(world.open(), []);
  });

  it('finds every single block that is missing, and one of another length', async () => {
    for (const { id } of stored.slice(0, 20)) objects.bytes.delete(id);
    const [short] = stored.slice(20);
    objects.bytes.set(short?.id ?? '', Buffer.from('x'));
    await run();
    const found = world.open();
    assert.equal(found.length, 21);
    assert.equal(found.filter((line) => line.startsWith('block-missing')).length, 20);
    assert.equal(found.filter((line) => line.startsWith('length-differs')).length, 1);
    for (const { id } of stored.slice(0, 20)) {
      assert.ok(found.some((line) => line.includes(id.slice(0, 16))));
    }
  });

  it('knows the length of what is sealed, as far as it can be told without the bytes', async () => {
    const numbers = Array.from({ length: 500 }, (_, at) => at * 7919).join();
    const { id, sizeBytes } = objects.addPacked(numbers);
    source.add(301, [{ id, sizeBytes }]);
    source.add(302, [{ id, sizeBytes: sizeBytes + 1 }]);
    await run();
    assert.deepEqual(world.open(), []);
    source.add(303, [{ id, sizeBytes: 5 }]);
    await run();
    assert.equal(world.open().length, 1);
    assert.match(world.open()[0] ?? '', /^length-differs/);
  });

  it('does not report what nothing needs any more at the second look', async () => {
    const [gone] = stored;
    objects.bytes.delete(gone?.id ?? '');
    const read = objects.read.bind(objects);
    objects.read = (id) => {
      source.drop(1);
      return read(id);
    };
    await run();
    assert.deepEqual(world.open(), []);
  });

  it('takes an outage for no absence', async () => {
    objects.isAway = true;
    await assert.rejects(run(), (error) => isKind(error, 'unavailable'));
    assert.deepEqual(world.open(), []);
  });
});

describe('ObjectTrashInspector', () => {
  const needed = new Set<string>();
  let isBlind = false;
  const inspector = () => new ObjectTrashInspector({
    ...world, objects,
    references: async (ids) => {
      if (isBlind) throw new HoldfastError('corrupt', 'test', 'cannot tell');
      return needed.intersection(ids);
    },
  });
  const run = () => inspector().run(eager(), world.signal, everything);
  beforeEach(() => {
    needed.clear();
    isBlind = false;
  });

  it('finds what is needed and only there, in the batch in which it is', async () => {
    const [dead, stored, sealed, gone] = [1, 2, 3, 4].map((n) => objects.add(`trashed ${n}`));
    assert.ok(dead && stored && sealed && gone);
    objects.addPacked('trashed 3');
    for (const { id } of [dead, gone]) objects.bytes.delete(id);
    for (const one of [dead, stored]) objects.trash.push({ ...one, batch: 7 });
    for (const one of [sealed, gone]) objects.trash.push({ ...one, batch: 8 });
    for (const { id } of [stored, sealed, gone]) needed.add(id);
    const outcome = await run();
    assert.deepEqual([outcome.checked, outcome.reports], [4, 1]);
    const found = `trash-still-needed at batch 8 in the trash, block ${gone.id.slice(0, 16)}`;
    assert.deepEqual(world.open(), [found]);
    objects.bytes.set(stored.id, Buffer.from('damaged'));
    objects.trash.splice(2);
    world.clock.advance(1000);
    await run();
    const other = `trash-still-needed at batch 7 in the trash, block ${stored.id.slice(0, 16)}`;
    assert.deepEqual(world.open(), [other], 'batch 8 has left');
  });

  it('says nothing when nobody can tell what is needed, and has nothing to do else', async () => {
    assert.equal((await run()).result, 'nothing-to-do');
    objects.trash.push({ ...objects.add('trashed'), batch: 7 });
    isBlind = true;
    await assert.rejects(run(), (error) => isKind(error, 'corrupt'));
    assert.equal(inspector().status().coverage.total, 0);
  });
});

it('the reconciler finds in an object store what is missing and what nobody needs', async () => {
  const source = new MemoryManifests();
  const stored = Array.from({ length: 40 }, (_, number) => objects.add(`object ${number}`));
  const sealed = objects.addPacked('sealed '.repeat(100));
  for (const [number, block] of [...stored, sealed].entries()) source.add(number + 1, [block]);
  const [missing] = stored;
  objects.bytes.delete(missing?.id ?? '');
  const orphan = objects.add('needed by nobody');
  const reconciler = new Reconciler({
    ...world, source, inventory: objectInventory({ objects }), entriesMax: 16,
  });
  const pass = () => reconciler.run(eager(), world.signal, everything);
  await pass();
  assert.deepEqual(world.open(), [], 'one pass alone says nothing');
  world.clock.advance(49 * 60 * 60 * 1000);
  await pass();
  assert.deepEqual(world.open(), [
    `block-missing at block ${missing?.id.slice(0, 16)}`,
    `orphan at block ${orphan.id.slice(0, 16)}`,
  ]);
  objects.isAway = true;
  await assert.rejects(pass(), (error) => isKind(error, 'unavailable'));
});

it('the status says of verifiers that have nothing to look at why, and no share', async () => {
  const scrubber = new ObjectScrubber({ ...world, objects });
  objects.add('one');
  noteAbsent([scrubber], { ...world, reason: 'the blocks lie elsewhere' });
  await noteRun(scrubber, world, () => scrubber.run(eager(), world.signal));
  const lines = verifyReportText(verifyReport(world.store, world.clock.now()));
  const line = (id: string): string => lines.find((one) => one.startsWith(id)) ?? '';
  for (const id of ['disk-scrubber', 'extent-referee', 'replica-comparison', 'reconciler']) {
    assert.match(line(id), /the blocks lie elsewhere/);
    assert.doesNotMatch(line(id), /%/);
  }
  assert.match(line('object-scrubber'), /100 %/);
});
