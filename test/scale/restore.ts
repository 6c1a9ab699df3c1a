/**
 * What bringing back a large folder costs, and taking that back: time, memory, and how often the
 * store is asked for each slice of 500 changes.
 *
 *   node test/scale/restore.ts FOLDER [ENTRIES]
 *
 * Makes one folder of 100,000 files (ENTRIES for another number) by ordinary changes, then
 * overwrites a third of them, deletes a third and moves a third elsewhere; then it brings the
 * folder back, and takes that back again. Prints one line per figure.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TENANT, parseUserId } from '../../src/base/ids.ts';
import type { NodeId } from '../../src/base/ids.ts';
import { parseName } from '../../src/base/names.ts';
import { Batches, ContentStore, encodeManifest } from '../../src/files/index.ts';
import type { Actor, BatchRecord, Change, MetadataStore } from '../../src/metadata/index.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { MemoryBlockStore } from '../../src/storage/backends/memory/memory-block-store.ts';

const START_AT = Date.UTC(2026, 0, 1);
const OWNER = parseUserId('anna');
/** Changes that are handed in together while the folder is made. */
const TOGETHER = 2_000;

/** A slice is 500 changes, of which none takes more than three calls; pages of the folder come on
 *  top. */
export const CALLS_PER_SLICE_MAX = 1_600;

const [, program, folder = '', wanted = '100000'] = process.argv;
const ENTRIES = Number(wanted);

function say(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(46)} ${figure}\n`);
}

/** The store as a restore sees it: how often it is asked between two notes of a batch. */
class Watched {
  readonly store: MetadataStore;
  readonly callsPerSlice: number[] = [];
  rssMax = 0;
  #calls = 0;

  constructor(store: MetadataStore) {
    this.store = new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          this.#note(key === 'commit' ? (args[0] as Change).op : String(key));
          return Reflect.apply(value, target, args);
        };
      },
    });
  }

  #note(what: string): void {
    this.#calls += 1;
    if (what !== 'note-batch') return;
    this.callsPerSlice.push(this.#calls);
    this.#calls = 0;
    this.rssMax = Math.max(this.rssMax, process.memoryUsage.rss());
  }

  begin(): void {
    this.callsPerSlice.length = 0;
    this.#calls = 0;
    this.rssMax = 0;
  }
}

class Work {
  readonly #store: SqliteMetadataStore;
  #at = START_AT;

  constructor(store: SqliteMetadataStore) {
    this.#store = store;
  }

  now = (): number => {
    this.#at += 1;
    return this.#at;
  };

  actor(): Actor {
    return { user: OWNER, device: 'desk', at: this.now(), lockTokens: [] };
  }

  async made(change: Change): Promise<NodeId> {
    const { node } = await this.#store.commit(change);
    if (node === undefined) throw new Error(`${change.op} answers its node.`);
    return node.id;
  }

  put(parentId: NodeId, spaceId: number, number: number, content: number): Promise<NodeId> {
    const id = content.toString(16).padStart(64, '0') as never;
    const blocks = [{ id, sizeBytes: 1 }];
    const manifest = encodeManifest({ chunker: 'fixed-4m', sizeBytes: 1, indirect: false, blocks });
    return this.made({
      op: 'put-file', spaceId: spaceId as never, parentId, modifiedAt: undefined,
      name: parseName(`file ${String(number).padStart(6, '0')}`), actor: this.actor(),
      content: { sizeBytes: 1, manifest, checksums: '' },
    });
  }

  async each<T>(items: readonly T[], act: (item: T, index: number) => Promise<unknown>) {
    for (let from = 0; from < items.length; from += TOGETHER) {
      const some = items.slice(from, from + TOGETHER);
      await Promise.all(some.map((item, index) => act(item, from + index)));
    }
  }
}

function report(what: string, batch: BatchRecord, watched: Watched, ms: number): void {
  const { state, doneCount, skippedCount } = batch;
  if (state !== 'done' || skippedCount > 0) throw new Error(`${what}: ${JSON.stringify(batch)}`);
  const calls = watched.callsPerSlice.slice(1, -1).toSorted((a, b) => a - b);
  say(what, `${Math.round(ms)} ms`);
  say('  changes', String(doneCount));
  say('  calls of the store per slice, median, most',
    `${calls[calls.length >> 1] ?? 0}, ${calls.at(-1) ?? 0}`);
  say('  memory at most', `${Math.round(watched.rssMax / 1e6)} MB`);
}

async function measure(): Promise<void> {
  if (folder === '') throw new Error('Name a folder to build in.');
  mkdirSync(folder, { recursive: true });
  const store = await SqliteMetadataStore.open({ file: join(folder, 'restore.db'), create: true });
  const work = new Work(store);
  const space = await store.ensureSpace({
    tenant: DEFAULT_TENANT, owner: OWNER, casePolicy: 'sensitive', quotaBytes: undefined,
    at: START_AT,
  });
  const { id: spaceId, rootId } = space;
  const make = (name: string): Promise<NodeId> => work.made({
    op: 'make-folder', spaceId, parentId: rootId, name: parseName(name), actor: work.actor(),
  });
  const [large, elsewhere] = [await make('large'), await make('elsewhere')];
  const files: NodeId[] = [];
  const numbers = Array.from({ length: ENTRIES }, (_, n) => n);
  await work.each(numbers, async (n) => {
    files[n] = await work.put(large, spaceId, n, n + 1);
  });
  const { rev } = await store.getSpace(spaceId);
  await work.each(files, (nodeId, n) => {
    if (n % 3 === 0) return work.put(large, spaceId, n, ENTRIES + n);
    if (n % 3 === 1) return store.commit({ op: 'delete', spaceId, nodeId, actor: work.actor() });
    return store.commit({
      op: 'move', spaceId, nodeId, toParentId: elsewhere, toName: parseName(`moved ${n}`),
      replace: false, actor: work.actor(),
    });
  });

  const watched = new Watched(store);
  const blocks = new MemoryBlockStore();
  const content = new ContentStore({
    blocks, metadata: store, witness: () => [], claims: blocks.reclaim,
  });
  const batches = new Batches({
    metadata: watched.store, content, now: work.now,
    onTrouble: (_, error) => process.stderr.write(`${String(error)}\n`),
  });
  say('memory before', `${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
  const timed = async (what: string, begin: () => Promise<BatchRecord>): Promise<BatchRecord> => {
    watched.begin();
    const from = performance.now();
    const batch = await batches.settled((await begin()).id);
    report(what, batch, watched, performance.now() - from);
    return batch;
  };
  const by = { user: OWNER, device: 'desk' };
  const restored = await timed(`bringing back a folder of ${ENTRIES}`, () => batches.restore({
    spaceId, nodeId: large, asOf: rev, withSharing: true, ...by,
  }));
  const live = (await Array.fromAsync(store.listFolder(spaceId, large))).flat().length;
  if (live !== ENTRIES) throw new Error(`${live} of ${ENTRIES} are back.`);
  await timed('taking that back', () => batches.undo(restored.id, by));
  await store.close();
}

if (program === import.meta.filename) await measure();
