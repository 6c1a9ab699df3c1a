/** A hand that works on one space of a store: short words for the conformance tests. */
import assert from 'node:assert/strict';
import { isKind } from '../../base/errors.ts';
import type { ErrorKind, HoldfastError } from '../../base/errors.ts';
import { DEFAULT_TENANT, parseUserId } from '../../base/ids.ts';
import type { NodeId, TenantId } from '../../base/ids.ts';
import { parseName, parsePath } from '../../base/names.ts';
import type { CasePolicy } from '../../base/names.ts';
import type { Actor, Change, ChangeResult, PutFile } from '../changes.ts';
import type { MetadataStore } from '../metadata-store.ts';
import type { FolderEntry, LockRecord, NodeRecord, SpaceRecord } from '../records.ts';

export const NOON = 1_700_000_000_000;
export const ANNA = parseUserId('anna');
export const BEN = parseUserId('ben');

export interface HandOptions {
  tenant?: TenantId;
  owner?: string;
  casePolicy?: CasePolicy;
  quotaBytes?: number;
}

type PutOptions = Partial<Pick<PutFile, 'expect' | 'upload' | 'witness' | 'createdAt'
  | 'reservationId'>>
  & { actor?: Actor; modifiedAt?: number; checksums?: string };

export class Hand {
  readonly store: MetadataStore;
  readonly space: SpaceRecord;
  at = NOON;

  constructor(store: MetadataStore, space: SpaceRecord) {
    this.store = store;
    this.space = space;
  }

  static async on(store: MetadataStore, options: HandOptions = {}): Promise<Hand> {
    const { tenant = DEFAULT_TENANT, owner = 'anna', casePolicy = 'sensitive' } = options;
    const { quotaBytes } = options;
    const wanted = { tenant, owner: parseUserId(owner), casePolicy, quotaBytes, at: NOON };
    return new Hand(store, await store.ensureSpace(wanted));
  }

  get root(): NodeId {
    return this.space.rootId;
  }

  actor(...lockTokens: string[]): Actor {
    this.at += 1_000;
    return { user: ANNA, device: 'desk', at: this.at, lockTokens };
  }

  ben(...lockTokens: string[]): Actor {
    return { ...this.actor(...lockTokens), user: BEN };
  }

  async made(change: Change): Promise<NodeRecord> {
    const { node } = await this.store.commit(change);
    assert.ok(node !== undefined, `${change.op} answers its node`);
    return node;
  }

  putChange(parentId: NodeId, name: string, bytes = 10, options: PutOptions = {}): PutFile {
    const { actor = this.actor(), modifiedAt, checksums = '', ...rest } = options;
    return {
      op: 'put-file', spaceId: this.space.id, parentId, name: parseName(name), modifiedAt, actor,
      content: { sizeBytes: bytes, manifest: Buffer.from(`${name}:${bytes}`), checksums }, ...rest,
    };
  }

  put(parentId: NodeId, name: string, bytes = 10, options: PutOptions = {}): Promise<NodeRecord> {
    return this.made(this.putChange(parentId, name, bytes, options));
  }

  folder(parentId: NodeId, name: string, actor = this.actor()): Promise<NodeRecord> {
    const { id: spaceId } = this.space;
    return this.made({ op: 'make-folder', spaceId, parentId, name: parseName(name), actor });
  }

  moveChange(
    nodeId: NodeId, toParentId: NodeId, toName: string, options: { replace?: boolean;
      actor?: Actor; } = {},
  ): Change {
    const { replace = false, actor = this.actor() } = options;
    const { id: spaceId } = this.space;
    return { op: 'move', spaceId, nodeId, toParentId, toName: parseName(toName), replace, actor };
  }

  move(...args: Parameters<Hand['moveChange']>): Promise<ChangeResult> {
    return this.store.commit(this.moveChange(...args));
  }

  copyChange(
    nodeId: NodeId, toParentId: NodeId, toName: string, options: { replace?: boolean;
      actor?: Actor; depth?: '0' | 'infinity'; } = {},
  ): Change {
    const { replace = false, actor = this.actor(), depth = 'infinity' } = options;
    const { id: spaceId } = this.space;
    const name = parseName(toName);
    return { op: 'copy', spaceId, nodeId, toParentId, toName: name, depth, replace, actor };
  }

  copy(...args: Parameters<Hand['copyChange']>): Promise<ChangeResult> {
    return this.store.commit(this.copyChange(...args));
  }

  /** Answers the revision of the deletion. */
  async delete(nodeId: NodeId, actor = this.actor()): Promise<number> {
    const { rev } = await this.store.commit({
      op: 'delete', spaceId: this.space.id, nodeId, actor,
    });
    return rev;
  }

  restoreChange(nodeId: NodeId, deletedRev: number, toParentId: NodeId, toName: string): Change {
    const { id: spaceId } = this.space;
    const actor = this.actor();
    return {
      op: 'restore', spaceId, nodeId, deletedRev, toParentId, toName: parseName(toName), actor,
    };
  }

  async lock(nodeId: NodeId, token: string, options: Partial<LockRecord> = {}): Promise<void> {
    const { holder = ANNA } = options;
    const lock: LockRecord = {
      token, spaceId: this.space.id, nodeId, scope: 'exclusive', depth: '0', ownerXml: '',
      expiresAt: NOON + 3_600_000, ...options, holder,
    };
    await this.store.commit({ op: 'add-lock', lock, actor: { ...this.actor(), user: holder } });
  }

  async setProperty(nodeId: NodeId, name: string, xml: string, actor = this.actor()):
  Promise<void> {
    await this.store.commit({
      op: 'set-properties', spaceId: this.space.id, nodeId, remove: [],
      set: [{ namespace: 'urn:x', name, xml }], actor,
    });
  }

  resolve(path: string): Promise<NodeRecord[]> {
    return this.store.resolve(this.space.id, parsePath(path === '' ? [] : path.split('/')));
  }

  /** The node at a path; undefined when there is none. */
  async find(path: string): Promise<NodeRecord | undefined> {
    const found = await this.resolve(path);
    const wanted = path === '' ? 1 : path.split('/').length + 1;
    return found.length === wanted ? found.at(-1) : undefined;
  }

  async list(folderId: NodeId, withProperties = false): Promise<FolderEntry[]> {
    const entries: FolderEntry[] = [];
    const pages = this.store.listFolder(this.space.id, folderId, { withProperties });
    for await (const page of pages) entries.push(...page);
    return entries;
  }

  async names(folderId: NodeId): Promise<string[]> {
    return (await this.list(folderId)).map(({ name }) => name);
  }

  /** All paths below a folder, with sizes of files; ids left out. */
  async tree(folderId = this.root, prefix = ''): Promise<string[]> {
    const lines: string[] = [];
    for (const { id, name, kind, sizeBytes } of await this.list(folderId)) {
      lines.push(`${prefix}${name}${kind === 'folder' ? '/' : ''} ${sizeBytes}`);
      if (kind === 'folder') lines.push(...await this.tree(id, `${prefix}${name}/`));
    }
    return lines;
  }

  async used(): Promise<number> {
    return (await this.store.getSpace(this.space.id)).usedBytes;
  }

  async rev(): Promise<number> {
    return (await this.store.getSpace(this.space.id)).rev;
  }
}

/** Asserts that a call is refused in this way. */
export async function refused(
  call: Promise<unknown>, kind: ErrorKind, code?: string,
): Promise<HoldfastError> {
  let thrown: unknown;
  await assert.rejects(call, (error) => {
    thrown = error;
    return true;
  });
  assert.ok(isKind(thrown, kind), `refused with ${kind}, not ${String(thrown)}`);
  if (code !== undefined) assert.equal(thrown.code, code);
  return thrown;
}
