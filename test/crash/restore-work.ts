/** A space with much to restore, and the process that is killed while it restores it. */
import { MemoryBlockStore } from '../../src/storage/backends/memory/memory-block-store.ts';
import { Batches, ContentStore, encodeManifest, RetentionJob } from '../../src/files/index.ts';
import type {
  Actor, BatchRecord, Change, MetadataStore, PastSpace, SpaceRecord,
} from '../../src/metadata/index.ts';
import {
  SqliteMetadataStore,
} from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { armFailpoint } from '../../src/platform/index.ts';
import { DEFAULT_TENANT, parseUserId } from '../../src/base/ids.ts';
import type { GrantId, NodeId } from '../../src/base/ids.ts';
import { parseName } from '../../src/base/names.ts';

const START_AT = Date.UTC(2026, 0, 1);
const OWNER = parseUserId('anna');
const FOLDERS = 12;
const FILES = 120;
const SHARES = 4;
const DAY_MS = 86_400_000;

export class RestoreWork {
  readonly store: MetadataStore;
  readonly batches: Batches;
  readonly #space: SpaceRecord;
  #at = START_AT;

  private constructor(store: MetadataStore, space: SpaceRecord) {
    this.store = store;
    this.#space = space;
    const blocks = new MemoryBlockStore();
    const content = new ContentStore({
      blocks, metadata: store, witness: () => [], claims: blocks.reclaim,
    });
    this.batches = new Batches({ metadata: store, content, now: () => this.#actor().at });
  }

  static async open(file: string): Promise<RestoreWork> {
    const store = await SqliteMetadataStore.open({ file, create: true });
    const space = await store.ensureSpace({
      tenant: DEFAULT_TENANT, owner: OWNER, casePolicy: 'sensitive', quotaBytes: undefined,
      at: START_AT,
    });
    return new RestoreWork(store, space);
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
    const id = number.toString(16).padStart(64, '0') as never;
    const blocks = [{ id, sizeBytes: 1 }];
    const manifest = encodeManifest({ chunker: 'fixed-4m', sizeBytes: 1, indirect: false, blocks });
    return this.#made({
      op: 'put-file', spaceId: this.#space.id, parentId, name: parseName(name),
      modifiedAt: undefined, content: { sizeBytes: 1, manifest, checksums: '' },
      actor: this.#actor(),
    });
  }

  #folder(parentId: NodeId, name: string): Promise<NodeId> {
    return this.#made({
      op: 'make-folder', spaceId: this.#space.id, parentId, name: parseName(name),
      actor: this.#actor(),
    });
  }

  #move(nodeId: NodeId, name: string): Promise<NodeId> {
    return this.#made({
      op: 'move', spaceId: this.#space.id, nodeId, toParentId: this.#space.rootId,
      toName: parseName(name), replace: false, actor: this.#actor(),
    });
  }

  async #delete(nodeId: NodeId): Promise<void> {
    await this.store.commit({
      op: 'delete', spaceId: this.#space.id, nodeId, actor: this.#actor(),
    });
  }

  async #share(nodeId: NodeId, tokenHash: string, grantId?: GrantId): Promise<GrantId> {
    const { grant } = await this.store.commit({
      op: 'put-grant', spaceId: this.#space.id, nodeId, subject: { kind: 'link', tokenHash },
      role: grantId === undefined ? 'viewer' : 'editor', isShown: false, expiresAt: undefined,
      terms: '', actor: this.#actor(), ...(grantId !== undefined && { grantId }),
    });
    if (grant === undefined) throw new Error('put-grant answers its grant.');
    return grant.id;
  }

  /** Ends the first of each folder's links, changes the second, and makes another. */
  async #shareOtherwise(folders: readonly NodeId[], shares: readonly GrantId[]): Promise<void> {
    for (const [place, nodeId] of folders.entries()) {
      const [first, second] = shares.slice(place * SHARES);
      if (first === undefined || second === undefined) throw new Error('There are too few.');
      await this.store.commit({
        op: 'remove-grant', spaceId: this.#space.id, grantId: first, actor: this.#actor(),
      });
      await this.#share(nodeId, `${place} 1`, second);
      await this.#share(nodeId, `${place} later`);
    }
  }

  /** Answers the revision before all was turned upside down. */
  async build(): Promise<number> {
    const { rootId, id: spaceId } = this.#space;
    const folders: NodeId[] = [];
    for (let n = 0; n < FOLDERS; n += 1) {
      folders.push(await this.#folder(folders[n >> 1] ?? rootId, `folder ${n}`));
    }
    const files = await Promise.all(folders.flatMap((id, place) =>
      Array.from({ length: FILES }, (_, n) => this.#put(id, `file ${n}`, place * FILES + n))));
    const shares = await Promise.all(folders.flatMap((id, place) =>
      Array.from({ length: SHARES }, (_, n) => this.#share(id, `${place} ${n}`))));
    const { rev } = await this.store.getSpace(spaceId);
    await this.#shareOtherwise(folders, shares);
    await Promise.all(folders.map((id) => this.#put(id, 'file 1', 99_999)));
    await Promise.all(files.filter((_, n) => n % 3 === 0).map((id) => this.#delete(id)));
    await Promise.all(files.filter((_, n) => n % 3 === 1 && n % 7 === 1).map((id, n) =>
      this.#move(id, `elsewhere ${n}`)));
    const [, first, second] = folders;
    if (first === undefined || second === undefined) throw new Error('There are too few folders.');
    await this.#move(second, 'folder 0 again');
    await this.#delete(first);
    await this.#put(second, 'new', 7);
    return rev;
  }

  async restore(asOf: number): Promise<BatchRecord> {
    const { id: spaceId, rootId: nodeId } = this.#space;
    const { user, device } = this.#actor();
    const batch = await this.batches.restore({
      spaceId, nodeId, asOf, withSharing: true, user, device,
    });
    return this.batches.settled(batch.id);
  }

  async undo(batchId: number): Promise<BatchRecord> {
    const { user, device } = this.#actor();
    const batch = await this.batches.undo(batchId, { user, device });
    return this.batches.settled(batch.id);
  }

  /** Goes on with what was killed; answers the newest batch once all have ended. */
  async resume(): Promise<BatchRecord> {
    await this.batches.resume();
    const [newest] = await this.store.listBatches({}, 1);
    if (newest === undefined) throw new Error('There is no batch.');
    return this.batches.settled(newest.id);
  }

  /** Every node of the live tree, or of the past: id, place and content. */
  async tree(past?: PastSpace, folderId = this.#space.rootId): Promise<string[]> {
    const { id: spaceId } = this.#space;
    const lines: string[] = [];
    const members = past === undefined ? this.store.listFolder(spaceId, folderId)
      : past.listFolder(folderId);
    for (const { id, name, kind, contentRev } of (await Array.fromAsync(members)).flat()) {
      const manifest = kind === 'file'
        ? (await this.store.getVersion(spaceId, id, contentRev)).manifest : undefined;
      lines.push(`${folderId}/${name} ${id} ${manifest && Buffer.from(manifest).toString('hex')}`);
      if (kind === 'folder') lines.push(...await this.tree(past, id));
    }
    return lines;
  }

  /** Who may what, now or then. What is in the trash keeps its shares, which count for nothing. */
  async shares(past?: PastSpace): Promise<string[]> {
    const { id: spaceId } = this.#space;
    const grants = await (past ?? this.store).listGrants(spaceId);
    const lines = grants.map(async ({ id, nodeId, subject, role, createdAt }) => {
      const chain = await (past?.findChain(nodeId) ?? this.store.findChain(spaceId, nodeId));
      return chain === undefined ? [] : [JSON.stringify([id, nodeId, subject, role, createdAt])];
    });
    return (await Promise.all(lines)).flat().toSorted();
  }

  /** Forgets all but the present, as if many days had passed. */
  async forget(): Promise<void> {
    const policy = { keepAllDays: 1, keepDailyDays: 1, trashKeepDays: 1 };
    const job = new RetentionJob({
      metadata: this.store, policy, now: () => START_AT + 100 * DAY_MS,
      pause: async () => undefined,
    });
    await job.run();
  }

  /** All that is kept of what was, and all that content is kept for. */
  async kept(): Promise<unknown> {
    const { id } = this.#space;
    const manifests = await this.store.listManifests(1_000);
    const last = manifests.at(-1);
    return {
      horizon: await this.store.getHorizon(id), trash: await this.store.listTrash(id, 1_000),
      versions: [...manifests, ...last ? await this.store.listManifests(1_000, last.place) : []]
        .map(({ place }) => place),
    };
  }

  past(rev: number): Promise<PastSpace> {
    return this.store.past(this.#space.id, rev);
  }

  async close(): Promise<void> {
    await this.batches.close();
    await this.store.close();
  }
}

/** As a program: FILE restore|undo|forget NUMBER FAILPOINT. */
if (process.argv[1] === import.meta.filename) {
  const [, , file = '', deed = '', number = '', spec = ''] = process.argv;
  // The writer's thread is armed by what is set before it starts.
  armFailpoint(spec);
  const work = await RestoreWork.open(file);
  if (deed === 'restore') await work.restore(Number(number));
  else if (deed === 'undo') await work.undo(Number(number));
  else await work.forget();
  await work.close();
}
