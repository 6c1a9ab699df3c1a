/** A space with much that is held, and the process that is killed while it is made. */
import {
  Batches, BrakeService, ContentStore, encodeManifest, Quarantines, runKeep,
} from '../../src/files/index.ts';
import type { Actor, Change, MetadataStore, SpaceRecord } from '../../src/metadata/index.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint } from '../../src/platform/index.ts';
import { MemoryBlockStore } from '../../src/storage/backends/memory/memory-block-store.ts';
import { DEFAULT_TENANT, parseUserId } from '../../src/base/ids.ts';
import type { NodeId } from '../../src/base/ids.ts';
import { parseName } from '../../src/base/names.ts';

const START_AT = Date.UTC(2026, 0, 1);
const OWNER = parseUserId('anna');
const FOLDERS = 4;
const FILES = 60;

function contentOf(number: number) {
  const id = number.toString(16).padStart(64, '0') as never;
  const blocks = [{ id, sizeBytes: 1 }];
  const manifest = encodeManifest({ chunker: 'fixed-4m', sizeBytes: 1, indirect: false, blocks });
  return { sizeBytes: 1, manifest, checksums: '' };
}

export class KeepWork {
  readonly store: MetadataStore;
  readonly batches: Batches;
  readonly brakes: BrakeService;
  readonly quarantines: Quarantines;
  readonly #space: SpaceRecord;
  #at = START_AT;

  private constructor(store: MetadataStore, space: SpaceRecord) {
    this.store = store;
    this.#space = space;
    const metadata = store;
    const blocks = new MemoryBlockStore();
    const content = new ContentStore({
      blocks, metadata, witness: () => [], claims: blocks.reclaim,
    });
    const now = (): number => this.#actor().at;
    this.quarantines = new Quarantines({ metadata });
    const { quarantines } = this;
    this.batches = new Batches({
      metadata, content, now, keep: (batch, run) => runKeep({ metadata, quarantines }, batch, run),
    });
    this.brakes = new BrakeService({ metadata, quarantines, batches: this.batches, now });
  }

  static async open(file: string): Promise<KeepWork> {
    const store = await SqliteMetadataStore.open({ file, create: true });
    const work = new KeepWork(store, await store.ensureSpace({
      tenant: DEFAULT_TENANT, owner: OWNER, casePolicy: 'sensitive', quotaBytes: undefined,
      at: START_AT,
    }));
    await work.quarantines.load();
    return work;
  }

  #actor(): Actor {
    this.#at += 1_000;
    return { user: OWNER, device: 'desk', at: this.#at, lockTokens: [] };
  }

  async #made(change: Change): Promise<NodeId> {
    const { node } = await this.store.commit(change);
    if (node === undefined) throw new Error(`${change.op} answers its node.`);
    return node.id;
  }

  #put(parentId: NodeId, name: string, number: number): Promise<NodeId> {
    return this.#made({
      op: 'put-file', spaceId: this.#space.id, parentId, name: parseName(name),
      modifiedAt: undefined, content: contentOf(number), actor: this.#actor(),
    });
  }

  /** Holds overwrites, deletions of files and one of a folder; of each others have changed one. */
  async build(): Promise<void> {
    const { id: spaceId, rootId } = this.#space;
    const folders = await Promise.all(Array.from({ length: FOLDERS }, (_, n) => this.#made({
      op: 'make-folder', spaceId, parentId: rootId, name: parseName(`folder ${n}`),
      actor: this.#actor(),
    })));
    const files = await Promise.all(folders.flatMap((id, place) =>
      Array.from({ length: FILES }, (_, n) => this.#put(id, `file ${n}`, place * FILES + n))));
    const { count: quarantineId } = await this.store.commit({
      op: 'open-quarantine', spaceId, deviceKey: 'mad', actor: this.#actor(),
    });
    const [changed = rootId, whole = rootId] = folders;
    const rest = files.slice(2 * FILES);
    const deleted = rest.filter((_, n) => n % 2 === 0);
    const hold = { op: 'hold', spaceId, quarantineId, released: [] } as const;
    await Promise.all(rest.filter((_, n) => n % 2 === 1).map((nodeId, n) => this.store.commit({
      ...hold, deleted: [], actor: this.#actor(),
      file: { nodeId, content: contentOf(10_000 + n), modifiedAt: undefined },
    })));
    await this.store.commit({
      ...hold, deleted: [changed, whole, ...deleted], actor: this.#actor(),
    });
    await this.#put(changed, 'file 3', 77_777);
    await this.#put(changed, 'new', 77_778);
    await this.#put(folders[2] ?? rootId, 'file 0', 77_779);
    await this.#put(folders[2] ?? rootId, 'file 1', 77_780);
  }

  async keep(): Promise<void> {
    const [quarantine] = await this.brakes.list({ all: true });
    if (quarantine === undefined) throw new Error('Nothing is held.');
    const batch = await this.brakes.keep(quarantine.id, {
      user: OWNER, device: 'desk', isAdmin: true,
    });
    await this.batches.settled(batch.id);
  }

  /** Goes on with what was killed, or begins it if that had not come about. */
  async goOn(): Promise<void> {
    const [quarantine] = await this.brakes.list({ all: true });
    if (quarantine?.state === 'open') return this.keep();
    await this.batches.resume();
    if (quarantine?.batchId !== undefined) await this.batches.settled(quarantine.batchId);
  }

  async undo(batchId: number): Promise<void> {
    const { id } = await this.batches.undo(batchId, { user: OWNER, device: 'desk' });
    await this.batches.settled(id);
  }

  /** Names and contents of the whole tree. */
  async tree(folderId = this.#space.rootId, prefix = ''): Promise<string[]> {
    const { id: spaceId } = this.#space;
    const lines: string[] = [];
    const members = (await Array.fromAsync(this.store.listFolder(spaceId, folderId))).flat();
    for (const { id, name, kind, contentRev } of members) {
      const manifest = kind === 'file'
        ? (await this.store.getVersion(spaceId, id, contentRev)).manifest : Buffer.alloc(0);
      lines.push(`${prefix}${name} ${Buffer.from(manifest).toString('hex')}`);
      if (kind === 'folder') lines.push(...await this.tree(id, `${prefix}${name}/`));
    }
    return lines;
  }

  async close(): Promise<void> {
    await this.batches.close();
    await this.store.close();
  }
}

/** As a program: FILE FAILPOINT. */
if (process.argv[1] === import.meta.filename) {
  const [, , file = '', spec = ''] = process.argv;
  // The writer's thread is armed by what is set before it starts.
  armFailpoint(spec);
  const work = await KeepWork.open(file);
  await work.keep();
  await work.close();
}
