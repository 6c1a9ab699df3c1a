/** For tests: short words for work on one space of a store, without a word about who may. */
import assert from 'node:assert/strict';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import type { NodeId } from '../../base/ids.ts';
import { parseName } from '../../base/names.ts';
import type {
  Actor, Change, FolderEntry, MetadataStore, NodeRecord, PastSpace, SpaceRecord,
} from '../../metadata/index.ts';
import { encodeManifest } from '../manifest.ts';

export const NOON = Date.UTC(2026, 0, 1, 12);

export class SpaceHand {
  readonly store: MetadataStore;
  readonly space: SpaceRecord;
  at = NOON;

  constructor(store: MetadataStore, space: SpaceRecord) {
    this.store = store;
    this.space = space;
  }

  static async on(store: MetadataStore): Promise<SpaceHand> {
    const owner = parseUserId('anna');
    const wanted = {
      tenant: DEFAULT_TENANT, owner, casePolicy: 'sensitive', quotaBytes: undefined, at: NOON,
    } as const;
    return new SpaceHand(store, await store.ensureSpace(wanted));
  }

  get root(): NodeId {
    return this.space.rootId;
  }

  actor(): Actor {
    this.at += 1_000;
    return { user: parseUserId('anna'), device: 'desk', at: this.at, lockTokens: [] };
  }

  async made(change: Change): Promise<NodeRecord> {
    const { node } = await this.store.commit(change);
    assert.ok(node !== undefined, `${change.op} answers its node`);
    return node;
  }

  /** A file whose content is told by a number. */
  async put(parentId: NodeId, name: string, number: number): Promise<NodeId> {
    const id = number.toString(16).padStart(64, '0') as never;
    const manifest = encodeManifest({
      chunker: 'fixed-4m', sizeBytes: 1, indirect: false, blocks: [{ id, sizeBytes: 1 }],
    });
    const { id: nodeId } = await this.made({
      op: 'put-file', spaceId: this.space.id, parentId, name: parseName(name),
      modifiedAt: undefined, content: { sizeBytes: 1, manifest, checksums: '' },
      actor: this.actor(),
    });
    return nodeId;
  }

  async folder(parentId: NodeId, name: string): Promise<NodeId> {
    const { id } = await this.made({
      op: 'make-folder', spaceId: this.space.id, parentId, name: parseName(name),
      actor: this.actor(),
    });
    return id;
  }

  async move(nodeId: NodeId, toParentId: NodeId, name: string, replace = false): Promise<void> {
    await this.store.commit({
      op: 'move', spaceId: this.space.id, nodeId, toParentId, toName: parseName(name), replace,
      actor: this.actor(),
    });
  }

  async copy(nodeId: NodeId, toParentId: NodeId, name: string): Promise<void> {
    await this.store.commit({
      op: 'copy', spaceId: this.space.id, nodeId, toParentId, toName: parseName(name),
      depth: 'infinity', replace: false, actor: this.actor(),
    });
  }

  async delete(nodeId: NodeId): Promise<void> {
    await this.store.commit({
      op: 'delete', spaceId: this.space.id, nodeId, actor: this.actor(),
    });
  }

  /** Brings the newest entry of the trash back. */
  async untrash(toParentId: NodeId, name: string): Promise<void> {
    const [entry] = await this.store.listTrash(this.space.id, 1);
    if (entry === undefined) return;
    const { nodeId, deletedRev } = entry;
    await this.store.commit({
      op: 'restore', spaceId: this.space.id, nodeId, deletedRev, toParentId,
      toName: parseName(name), actor: this.actor(),
    });
  }

  async rev(): Promise<number> {
    return (await this.store.getSpace(this.space.id)).rev;
  }

  async list(folderId: NodeId): Promise<FolderEntry[]> {
    return (await Array.fromAsync(this.store.listFolder(this.space.id, folderId))).flat();
  }

  async past(rev: number): Promise<PastSpace> {
    return this.store.past(this.space.id, rev);
  }

  /** Every node of the live tree, or of the past: id, place, content, and times of files. */
  async tree(past?: PastSpace, folderId = this.root): Promise<string[]> {
    const lines: string[] = [];
    const members = past === undefined ? await this.list(folderId)
      : (await Array.fromAsync(past.listFolder(folderId))).flat();
    for (const { id, name, kind, contentRev, modifiedAt } of members) {
      const version = kind === 'file'
        ? await this.store.getVersion(this.space.id, id, contentRev) : undefined;
      const content = version && Buffer.from(version.manifest).toString('base64');
      lines.push(`${folderId}/${name} ${id} ${content} ${kind === 'file' ? modifiedAt : ''}`);
      if (kind === 'folder') lines.push(...await this.tree(past, id));
    }
    return lines;
  }
}
