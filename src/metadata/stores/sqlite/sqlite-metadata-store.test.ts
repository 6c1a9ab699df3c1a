import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { isKind } from '../../../base/errors.ts';
import { ManualClock } from '../../../platform/index.ts';
import { Hand, refused } from '../../conformance/hand.ts';
import { assertConsistent } from '../../conformance/replay.ts';
import { testMetadataStore } from '../../metadata-store.conformance.ts';
import { CHANGES_QUEUE_MAX } from '../../metadata-store.ts';
import { shardOfId } from '../../shard-number.ts';
import type { FolderEntry } from '../../records.ts';
import { READERS_MAX, READER_WAIT_MAX_MS } from './reader/reader-pool.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';
import { startWriterThread } from './writer-client.ts';
import type { StartThread } from './writer-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
let made = 0;
after(() => rmSync(folder, { recursive: true, force: true }));

testMetadataStore('SqliteMetadataStore', async () => {
  made += 1;
  return SqliteMetadataStore.open({ file: join(folder, `${made}.db`), create: true });
});

// Below: only what this implementation adds to the common promises.

it('SqliteMetadataStore gives ids of its shard, and is refused as another one', async () => {
  const open = (shard: number, name = `shard-${shard}`): Promise<SqliteMetadataStore> =>
    SqliteMetadataStore.open({ file: join(folder, `${name}.db`), create: true, shard });
  for (const shard of [0, 7]) {
    const store = await open(shard);
    const { space, root } = await Hand.on(store);
    assert.deepEqual([shardOfId(space.id), shardOfId(root)], [shard, shard]);
    const { nextIds } = await store.readFigures();
    assert.equal(Object.keys(nextIds).length, 6);
    assert.ok(Object.values(nextIds).every((id) => shardOfId(id) === shard));
    await store.close();
  }
  await refused(open(0, 'shard-7'), 'invalid', 'metadata-other-shard');
  await refused(open(7, 'shard-0'), 'invalid', 'metadata-other-shard');
  await (await open(7)).close();
});

describe('SqliteMetadataStore', () => {
  const file = join(folder, 'own.db');
  const clock = new ManualClock(0);
  let worker: Worker;
  const startThread: StartThread = (start) => {
    worker = startWriterThread(start);
    return worker;
  };
  const open = (): Promise<SqliteMetadataStore> =>
    SqliteMetadataStore.open({ file, create: true, startThread, clock });

  it('has what it acknowledged, and nothing by halves, after its writer was killed', async () => {
    for (const delayTurns of [0, 1, 3, 8, 20, 60]) {
      const store = await open();
      const h = await Hand.on(store, { owner: `killed${delayTurns}` });
      const box = await h.folder(h.root, 'box');
      const acknowledged: string[] = [];
      const work = Array.from({ length: 2_000 }, async (_, n) => {
        const { name } = await h.put(box.id, `f${n}`, n % 7);
        acknowledged.push(name);
      });
      const settled = Promise.allSettled(work);
      for (let turn = 0; turn < delayTurns; turn += 1) await new Promise(setImmediate);
      await worker.terminate();
      const outcomes = await settled;
      const refusals = outcomes.filter(({ status }) => status === 'rejected');
      assert.equal(refusals.length + acknowledged.length, 2_000);
      await refused(h.put(h.root, 'later'), 'unavailable', 'writer-stopped');
      await store.close();
      const again = await Hand.on(await open(), { owner: `killed${delayTurns}` });
      const names = new Set(await again.names(box.id));
      for (const name of acknowledged) assert.ok(names.has(name));
      await assertConsistent(again.store, again.space.id);
      await again.put(box.id, 'after');
      await again.store.close();
    }
  });

  it('commits many changes with few flushes, in the order in which they came', async () => {
    const h = await Hand.on(await open(), { owner: 'order' });
    const puts = Array.from({ length: 3_000 }, (_, n) => h.put(h.root, `f${n}`));
    const marks = (await Promise.all(puts)).map(({ mark }) => mark);
    assert.deepEqual(marks, marks.toSorted((a, b) => a - b));
    await h.store.close();
  });

  it('refuses with busy when too many changes wait, and loses none of the others', async () => {
    const h = await Hand.on(await open(), { owner: 'queue' });
    const puts = Array.from({ length: CHANGES_QUEUE_MAX + 5 }, (_, n) => h.put(h.root, `f${n}`));
    const outcomes = await Promise.allSettled(puts);
    const refusals: unknown[] = outcomes.flatMap((each) =>
      (each.status === 'rejected' ? [each.reason as unknown] : []));
    assert.equal(refusals.length, 5);
    assert.ok(refusals.every((reason) => isKind(reason, 'busy')));
    assert.equal((await h.names(h.root)).length, CHANGES_QUEUE_MAX);
    await h.store.close();
  });

  it('finishes what was handed in before it closes, a big copy included', async () => {
    const h = await Hand.on(await open(), { owner: 'closing' });
    const box = await h.folder(h.root, 'box');
    await Promise.all(Array.from({ length: 2_500 }, (_, n) => h.put(box.id, `f${n}`, 2)));
    const copied = h.copy(box.id, h.root, 'twin');
    const last = h.put(h.root, 'last', 1);
    await h.store.close();
    await Promise.all([copied, last]);
    const again = await Hand.on(await open(), { owner: 'closing' });
    assert.equal(await again.used(), 10_001);
    await assertConsistent(again.store, again.space.id);
    await again.store.close();
  });

  it('gives its connections back when listings end early, and lets others wait', async () => {
    const h = await Hand.on(await open(), { owner: 'lister' });
    await Promise.all(Array.from({ length: 2_600 }, (_, n) => h.put(h.root, `f${n}`)));
    const listing = (signal?: AbortSignal): AsyncIterator<readonly FolderEntry[]> =>
      h.store.listFolder(h.space.id, h.root, signal && { signal })[Symbol.asyncIterator]();
    for (let round = 0; round < READERS_MAX * 3; round += 1) {
      for await (const page of h.store.listFolder(h.space.id, h.root)) {
        assert.ok(page.length > 0);
        break;
      }
    }
    const stop = new AbortController();
    const held = Array.from({ length: READERS_MAX }, () => listing(stop.signal));
    for (const each of held) await each.next();
    const patient = h.names(h.root);
    await h.put(h.root, 'g');
    clock.advance(READER_WAIT_MAX_MS);
    await refused(patient, 'busy');
    const waiting = h.names(h.root);
    stop.abort(new Error('gone')); // Nobody asks these listings for more: the signal frees them.
    assert.equal((await waiting).length, 2_601);
    for (const each of held) await assert.rejects(Promise.resolve(each.next()), /gone/);
    await h.store.close();
  });

  it('uses each folder it remembers only until a folder of that space changes', async () => {
    const h = await Hand.on(await open(), { owner: 'paths' });
    const a = await h.folder(h.root, 'a');
    const b = await h.folder(a.id, 'b');
    await h.put(b.id, 'f');
    assert.equal((await h.resolve('a/b/f')).length, 4);
    await h.move(a.id, h.root, 'z');
    assert.equal((await h.resolve('a/b/f')).length, 1);
    assert.equal((await h.resolve('z/b/f')).length, 4);
    const rev = await h.delete(b.id);
    assert.equal((await h.resolve('z/b/f')).length, 2);
    assert.equal(await h.store.findChain(h.space.id, b.id), undefined);
    await h.store.commit(h.restoreChange(b.id, rev, h.root, 'b'));
    assert.equal((await h.resolve('b/f')).length, 3);
    await h.store.close();
  });
});
