/** One space of the in-memory model: a tree of objects. Naive on purpose: it must be obviously
 *  right, because the other stores are compared with it. Sizes are summed up anew each time. */
import type { GrantId, NodeId, SpaceId } from '../../../base/ids.ts';
import { PATH_DEPTH_MAX, canonicalName } from '../../../base/names.ts';
import type { GrantRecord, MountTarget } from '../../access-records.ts';
import type { Actor, Expectation } from '../../changes.ts';
import { compareCodePoints } from '../../dead-properties.ts';
import type { LockView } from '../../lock-rules.ts';
import { locksWithin } from '../../lock-rules.ts';
import type {
  CopyOrigin, DeadProperty, EventKind, EventRecord, Instant, LockRecord, NodeKind, NodeRecord,
  SpaceRecord, TrashRecord, VersionRecord,
} from '../../records.ts';
import { changedMeanwhile, parentMissing, tooDeep } from '../../refusals.ts';
import { checkRoom } from './memory-quota.ts';
import type { MemoryTenant, RoomNeeds } from './memory-quota.ts';

export interface MemoryNode {
  id: NodeId;
  /** The folder it is in, or was in when it was deleted; undefined for the root. */
  parent: MemoryNode | undefined;
  name: string;
  canon: string;
  kind: NodeKind;
  /** Of a file's content; 0 for a folder. */
  ownBytes: number;
  modifiedAt: Instant;
  createdAt: Instant;
  mark: number;
  contentRev: number;
  checksums: string;
  members: Map<string, MemoryNode>;
  properties: DeadProperty[];
  versions: VersionRecord[];
  /** All states it has had, oldest first. */
  history: MemoryState[];
  /** Of a mount. */
  target?: MountTarget;
}

/** What a node was from a revision on. */
export interface MemoryState extends Pick<MemoryNode, 'parent' | 'name' | 'ownBytes'
  | 'modifiedAt' | 'createdAt' | 'mark' | 'contentRev' | 'checksums'> {
  revFrom: number;
  /** Deleted by itself, not with a folder above it. */
  isGone: boolean;
}

export interface Trashed {
  record: TrashRecord;
  node: MemoryNode;
}

/** Events of other kinds leave the node itself as it is. */
const CHANGES_NODE: ReadonlySet<EventKind> =
  new Set<EventKind>(['create', 'update', 'move', 'delete', 'restore']);

interface EventPlaces {
  before?: { parent: MemoryNode | undefined; name: string };
  after?: { parent: MemoryNode | undefined; name: string };
  copiedFrom?: CopyOrigin;
  grantId?: GrantId;
}

export function newNode(
  fields: Pick<MemoryNode, 'id' | 'parent' | 'name' | 'canon' | 'kind' | 'createdAt'>,
): MemoryNode {
  return {
    ...fields, ownBytes: 0, modifiedAt: fields.createdAt, mark: 0, contentRev: 0, checksums: '',
    members: new Map(), properties: [], versions: [], history: [],
  };
}

export class MemorySpace {
  readonly record: Omit<SpaceRecord, 'usedBytes'>;
  readonly root: MemoryNode;
  readonly nodes = new Map<NodeId, MemoryNode>();
  trash: Trashed[] = [];
  locks: LockRecord[] = [];
  readonly events: EventRecord[] = [];
  /** The oldest revision that can be shown. */
  revFloor = 0;
  readonly #unsettled: { node: MemoryNode; event: EventRecord }[] = [];
  /** Live ones, by id; and those of the past, each with the revision that ended it. */
  readonly grants = new Map<GrantId, GrantRecord>();
  /** Of ended grants too. */
  readonly downloadsOf = new Map<GrantId, number>();
  readonly grantsPast: { grant: GrantRecord; revTo: number }[] = [];
  declined: MountTarget[] = [];
  readonly reservations = new Map<string, { bytes: number; expiresAt: Instant }>();
  /** Sum of held contents. */
  heldBytes = 0;
  readonly tenant: MemoryTenant;

  constructor(record: Omit<SpaceRecord, 'usedBytes'>, tenant: MemoryTenant) {
    this.record = record;
    this.tenant = tenant;
    tenant.spaces.push(this);
    const { rootId, createdAt } = record;
    this.root = newNode({
      id: rootId, parent: undefined, name: '', canon: '', kind: 'folder', createdAt,
    });
    this.nodes.set(rootId, this.root);
    this.#note(this.root, 0);
  }

  get id(): SpaceId {
    return this.record.id;
  }

  canon(name: string): string {
    return canonicalName(name, this.record.casePolicy);
  }

  sizeOf(node: MemoryNode): number {
    let sum = node.ownBytes;
    for (const member of node.members.values()) sum += this.sizeOf(member);
    return sum;
  }

  /** A node and its ancestors, the node first; undefined when it is not live. */
  chainOf(id: NodeId): MemoryNode[] | undefined {
    const chain: MemoryNode[] = [];
    let node = this.nodes.get(id);
    while (node !== undefined) {
      chain.push(node);
      if (node === this.root) return chain;
      if (node.parent?.members.get(node.canon) !== node) return undefined;
      node = node.parent;
    }
    return undefined;
  }

  findLive(id: NodeId): MemoryNode | undefined {
    return this.chainOf(id)?.[0];
  }

  /** The live folder that is to take something. */
  parentFor(id: NodeId): MemoryNode {
    const chain = this.chainOf(id);
    const [folder] = chain ?? [];
    if (chain === undefined || folder?.kind !== 'folder') throw parentMissing(id);
    if (chain.length > PATH_DEPTH_MAX) throw tooDeep();
    return folder;
  }

  /** Whether `node` is `folder` or anywhere below it. */
  isWithin(node: MemoryNode, folder: MemoryNode): boolean {
    return this.chainOf(node.id)?.includes(folder) ?? false;
  }

  get lockView(): LockView {
    return {
      locks: this.locks,
      chainOf: (id) => this.chainOf(id)?.map((node) => node.id),
    };
  }

  dropLocksWithin(node: MemoryNode): void {
    const gone = locksWithin(this.lockView, node.id);
    this.locks = this.locks.filter((lock) => !gone.includes(lock));
  }

  checkExpected(expect: Expectation | undefined, node: MemoryNode | undefined): void {
    if (expect === undefined) return;
    const holds = expect === 'absent' ? node === undefined
      : node?.id === expect.nodeId && node.mark === expect.mark;
    if (!holds) throw changedMeanwhile();
  }

  /** @throws quota. */
  checkQuota(addedBytes: number, needs: RoomNeeds): void {
    checkRoom(this, addedBytes, needs);
  }

  #note(node: MemoryNode, revFrom: number): void {
    const { parent, name, ownBytes, modifiedAt, createdAt, mark, contentRev, checksums } = node;
    node.history.push({
      parent, name, ownBytes, modifiedAt, createdAt, mark, contentRev, checksums, revFrom,
      isGone: !this.isPlaced(node),
    });
  }

  /** After a change: what its events have made of their nodes is noted for the past. */
  settle(): void {
    for (const { node, event } of this.#unsettled.splice(0)) {
      this.#note(node, event.rev);
      if (event.copiedFrom === undefined) continue;
      for (const member of node.members.values()) this.#noteAll(member, member.mark);
    }
  }

  #noteAll(node: MemoryNode, revFrom: number): void {
    this.#note(node, revFrom);
    for (const member of node.members.values()) this.#noteAll(member, revFrom);
  }

  /** Takes the next revision and notes what happened. */
  addEvent(kind: EventKind, node: MemoryNode, actor: Actor, places: EventPlaces): number {
    this.record.rev += 1;
    const { rev } = this.record;
    const event: EventRecord = {
      spaceId: this.id, rev, kind, nodeId: node.id, nodeKind: node.kind,
      parentBefore: places.before?.parent?.id, parentAfter: places.after?.parent?.id,
      nameBefore: places.before?.name, nameAfter: places.after?.name,
      contentRev: node.contentRev, by: actor.user, device: actor.device,
      at: Math.max(actor.at, this.events.at(-1)?.at ?? actor.at),
      ...(actor.from !== undefined && { from: actor.from }),
      ...(actor.batchId !== undefined && { batchId: actor.batchId }),
      ...(places.copiedFrom !== undefined && { copiedFrom: places.copiedFrom }),
      ...(places.grantId !== undefined && { grantId: places.grantId }),
    };
    this.events.push(event);
    if (CHANGES_NODE.has(kind)) this.#unsettled.push({ node, event });
    return rev;
  }

  /** A folder and its ancestors have changed. */
  touch(folder: MemoryNode | undefined, rev: number, at: Instant): void {
    for (let each = folder; each !== undefined; each = each.parent) {
      each.mark = rev;
      each.modifiedAt = at;
    }
  }

  /** Who may what there has changed: clients must look again, but no content is newer. */
  touchMarks(folder: MemoryNode | undefined, rev: number): void {
    for (let each = folder; each !== undefined; each = each.parent) each.mark = rev;
  }

  /** Whether it has a place, be it in a deleted folder. */
  isPlaced(node: MemoryNode): boolean {
    return node === this.root || node.parent?.members.get(node.canon) === node;
  }

  attach(node: MemoryNode, parent: MemoryNode, name: string): void {
    node.parent = parent;
    node.name = name;
    node.canon = this.canon(name);
    parent.members.set(node.canon, node);
    this.nodes.set(node.id, node);
  }

  detach(node: MemoryNode): void {
    node.parent?.members.delete(node.canon);
  }

  moveToTrash(node: MemoryNode, actor: Actor): number {
    const { parent, name } = node;
    if (parent === undefined) throw new TypeError('the root cannot be moved to the trash');
    this.dropLocksWithin(node);
    const rev = this.addEvent('delete', node, actor, { before: { parent, name } });
    const record = {
      spaceId: this.id, nodeId: node.id, deletedRev: rev, kind: node.kind, name,
      parentId: parent.id, sizeBytes: this.sizeOf(node), deletedAt: actor.at,
      deletedBy: actor.user,
    };
    this.trash.push({ record, node });
    this.detach(node);
    this.touch(parent, rev, actor.at);
    return rev;
  }

  membersOf(folder: MemoryNode, after = ''): MemoryNode[] {
    return [...folder.members.values()].filter(({ canon }) => compareCodePoints(canon, after) > 0)
      .toSorted((a, b) => compareCodePoints(a.canon, b.canon));
  }

  recordOf(node: MemoryNode): NodeRecord {
    const { id, name, kind, modifiedAt, createdAt, mark, contentRev, checksums } = node;
    return {
      spaceId: this.id, id, parentId: node.parent?.id, name, kind, sizeBytes: this.sizeOf(node),
      modifiedAt, createdAt, mark, contentRev, checksums,
      ...(node.target !== undefined && { target: { ...node.target } }),
    };
  }
}
