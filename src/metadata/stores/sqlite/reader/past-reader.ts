/** Reads the past of spaces on one connection. Each public method works on one snapshot; between
 *  them nothing can change but checksums, because what is past stays as it was. */
import { assert } from '../../../../base/assert.ts';
import type { NodeId, SpaceId, UserId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { CasePolicy, Name } from '../../../../base/names.ts';
import type { GrantRecord } from '../../../access-records.ts';
import type { BatchKind, BatchRecord, BatchState } from '../../../batch.ts';
import { diffPage } from '../../../diff.ts';
import type { DiffOptions, DiffPage } from '../../../diff.ts';
import { LIST_PAGE_MAX } from '../../../metadata-store.ts';
import type {
  Horizon, PastListOptions, PastNode, PastSpace, TrashFilter, VersionKey,
} from '../../../past.ts';
import type { Instant, EventRecord, TrashRecord } from '../../../records.ts';
import type { RetentionRule, RetentionScope } from '../../../retention.ts';
import { nodeMissing, pastGone, revAhead, spaceMissing, storeClosed } from '../../../refusals.ts';
import { windowAfter } from '../as-of-window.ts';
import { KIND_FOLDER, NO_PARENT, kindOf, retentionKey, toGrant } from '../rows.ts';
import type { GrantTuple, NodeTuple } from '../rows.ts';
import type { PastStatements } from './past-statements.ts';

const CHAIN_MAX = 100_000;

type PastTuple = [...node: NodeTuple, revFrom: number, revTo?: number];
const REV_FROM = 11;
const REV_TO = 12;

interface SpaceRow {
  rootId: NodeId;
  rev: number;
  casePolicy: CasePolicy;
  createdAt: Instant;
  revFloor: number;
}

/** Runs a read on a snapshot, at once or in a while. */
type Ask<Given> = <T>(read: (given: Given) => T) => T | Promise<T>;

type TrashTuple = [
  deletedRev: number, nodeId: number, parentId: number, name: string, kind: number,
  sizeBytes: number, deletedAt: number, deletedBy: string,
];

type BatchTuple = [
  id: number, spaceId: number, kind: string, state: string, nodeId: number, asOf: number,
  undoes: number | null, revFrom: number, revTo: number, doneCount: number, skippedCount: number,
  by: string, device: string, at: number, endedAt: number | null,
  withSharing: number,
];

export class PastReader {
  readonly #sql: PastStatements;
  readonly #listEvents: (spaceId: SpaceId, afterRev: number, limit: number) => EventRecord[];
  #isClosed = false;

  constructor(
    statements: PastStatements,
    listEvents: (spaceId: SpaceId, afterRev: number, limit: number) => EventRecord[],
  ) {
    this.#sql = statements;
    this.#listEvents = listEvents;
  }

  /** Listings that are under way end with `unavailable`. */
  close(): void {
    this.#isClosed = true;
  }

  snapshot<T>(read: () => T): T {
    if (this.#isClosed) throw storeClosed();
    this.#sql.begin.run();
    try {
      return read();
    } finally {
      this.#sql.end.run();
    }
  }

  #space(spaceId: SpaceId): SpaceRow {
    const row = this.#sql.getSpace.get(spaceId) as
      [number, number, CasePolicy, number, number | null] | undefined;
    if (row === undefined) throw spaceMissing(spaceId);
    const [rootId, rev, casePolicy, createdAt, revFloor] = row;
    return { rootId: rootId as NodeId, rev, casePolicy, createdAt, revFloor: revFloor ?? 0 };
  }

  #timeOf(spaceId: SpaceId, space: SpaceRow, rev: number): Instant {
    if (rev === 0) return space.createdAt;
    const [at] = this.#sql.getEventTime.get(spaceId, rev) as [number];
    return at;
  }

  /** The space, once it is sure that this revision can be shown. */
  checked(spaceId: SpaceId, rev: number): SpaceRow {
    const space = this.#space(spaceId);
    if (rev > space.rev) throw revAhead(rev, space.rev);
    if (rev < space.revFloor) {
      throw pastGone(space.revFloor, this.#timeOf(spaceId, space, space.revFloor));
    }
    return space;
  }

  /** Revisions have no gaps and times never go back, so the middle of the rest is asked for. */
  revisionAt(spaceId: SpaceId, at: Instant): number {
    const space = this.#space(spaceId);
    let low = 0;
    let high = space.rev;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#timeOf(spaceId, space, middle) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  horizon(spaceId: SpaceId): Horizon {
    const space = this.#space(spaceId);
    return { revFloor: space.revFloor, at: this.#timeOf(spaceId, space, space.revFloor) };
  }

  open(spaceId: SpaceId, rev: number, run: Ask<void>): PastSpace {
    const space = this.checked(spaceId, rev);
    const at = this.#timeOf(spaceId, space, rev);
    const ask: Ask<SpaceRow> = (read) => run(() =>
      this.snapshot(() => read(this.checked(spaceId, rev))));
    return {
      spaceId, rootId: space.rootId, rev, at,
      resolve: async (path, from) =>
        ask((fresh) => this.#resolve(spaceId, rev, { space: fresh, path, from })),
      findChain: async (nodeId) => ask(() => this.chainAt(spaceId, nodeId, rev)),
      listGrants: async () => ask(() => this.#grants(spaceId, rev)),
      listFolder: (folderId, options = {}) =>
        this.#list(ask, { spaceId, folderId, rev, options }),
    };
  }

  #grants(spaceId: SpaceId, rev: number): GrantRecord[] {
    const rows = this.#sql.listGrants.all(spaceId, rev, spaceId, rev, rev) as GrantTuple[];
    return rows.map(toGrant);
  }

  #child(spaceId: SpaceId, parentId: number, canon: string, rev: number): PastNode | undefined {
    const now = this.#sql.getChild.get(spaceId, parentId, canon) as PastTuple | undefined;
    if (now !== undefined && now[REV_FROM] <= rev) return this.#toNode(spaceId, now);
    const past = this.#sql.getPastChild.get(spaceId, parentId, canon, rev) as PastTuple | undefined;
    return past !== undefined && past[REV_FROM] <= rev ? this.#toNode(spaceId, past) : undefined;
  }

  #node(spaceId: SpaceId, id: number, rev: number): PastNode | undefined {
    const now = this.#sql.getNode.get(spaceId, id) as PastTuple | undefined;
    if (now !== undefined && now[REV_FROM] <= rev) return this.#toNode(spaceId, now);
    const past = this.#sql.getPastNode.get(spaceId, id, rev) as PastTuple | undefined;
    return past !== undefined && past[REV_FROM] <= rev ? this.#toNode(spaceId, past) : undefined;
  }

  /** Where a mount leads never changes, so it is not kept with its rows. */
  #toNode(spaceId: SpaceId, row: PastTuple): PastNode {
    const node = toPastNode(spaceId, row);
    if (node.kind !== 'mount') return node;
    const target = this.#sql.getMount.get(spaceId, node.id) as [number, number] | undefined;
    if (target === undefined) return node;
    const [targetSpace, targetNode] = target;
    const found = { spaceId: targetSpace as SpaceId, nodeId: targetNode as NodeId };
    return { ...node, target: found };
  }

  #resolve(
    spaceId: SpaceId, rev: number,
    { space, path, from }: {
      space: SpaceRow; path: readonly Name[]; from: NodeId | undefined;
    },
  ): PastNode[] {
    let node = this.chainAt(spaceId, from ?? space.rootId, rev)?.at(-1);
    if (node === undefined) return [];
    const found = [node];
    for (const name of path) {
      if (node.kind !== 'folder') break;
      node = this.#child(spaceId, node.id, canonicalName(name, space.casePolicy), rev);
      if (node === undefined) break;
      found.push(node);
    }
    return found;
  }

  chainAt(spaceId: SpaceId, nodeId: NodeId, rev: number): PastNode[] | undefined {
    const chain: PastNode[] = [];
    for (let id = nodeId; chain.length < CHAIN_MAX;) {
      const node = this.#node(spaceId, id, rev);
      if (node === undefined) return undefined;
      chain.push(node);
      if (node.parentId === undefined) return chain.reverse();
      id = node.parentId;
    }
    assert(false, 'folders form no cycle');
  }

  async* #list(
    ask: Ask<SpaceRow>,
    request: { spaceId: SpaceId; folderId: NodeId; rev: number; options: PastListOptions },
  ): AsyncGenerator<readonly PastNode[]> {
    const { spaceId, folderId, rev, options: { signal } } = request;
    let after = '';
    let isFirst = true;
    for (let isMore = true; isMore;) {
      signal?.throwIfAborted();
      const { nodes, end, isLast } = await ask(() => {
        if (isFirst) this.#checkFolder(spaceId, folderId, rev);
        const window = windowAfter(this.#sql, { spaceId, folderId, after });
        const found = this.#sql.listMembers.all(spaceId, folderId, after, window.end, rev,
          spaceId, folderId, after, window.end, rev, rev) as PastTuple[];
        return { nodes: found.map((row) => this.#toNode(spaceId, row)), ...window };
      });
      isFirst = false;
      isMore = !isLast;
      after = end;
      for (let at = 0; at < nodes.length; at += LIST_PAGE_MAX) {
        yield nodes.slice(at, at + LIST_PAGE_MAX);
      }
      if (isMore) await otherRequestsFirst();
    }
  }

  #checkFolder(spaceId: SpaceId, folderId: NodeId, rev: number): void {
    const folder = this.chainAt(spaceId, folderId, rev)?.at(-1);
    if (folder?.kind !== 'folder') throw nodeMissing(folderId);
  }

  diff(
    spaceId: SpaceId, fromRev: number, toRev: number, options: DiffOptions,
  ): DiffPage {
    this.checked(spaceId, fromRev);
    this.checked(spaceId, toRev);
    return diffPage({
      listEvents: (afterRev, limit) => this.#listEvents(spaceId, afterRev, limit),
      firstChange: (nodeId, rev) => this.#firstChange(spaceId, nodeId, rev),
      chainAt: (nodeId, rev) => this.chainAt(spaceId, nodeId, rev),
    }, { fromRev, toRev, options });
  }

  #firstChange(spaceId: SpaceId, nodeId: NodeId, rev: number): number | undefined {
    const past = this.#sql.getPastNode.get(spaceId, nodeId, rev) as PastTuple | undefined;
    if (past !== undefined) return past[REV_FROM] > rev ? past[REV_FROM] : past[REV_TO];
    const now = this.#sql.getNode.get(spaceId, nodeId) as PastTuple | undefined;
    return now !== undefined && now[REV_FROM] > rev ? now[REV_FROM] : undefined;
  }

  /** Upwards from the node to the first folder whose row is closed: that one was deleted. */
  findDeleted(spaceId: SpaceId, nodeId: NodeId): TrashRecord | undefined {
    let id: number = nodeId;
    for (let depth = 0; depth < CHAIN_MAX; depth += 1) {
      const row = this.#sql.getNode.get(spaceId, id) as PastTuple | undefined;
      if (row === undefined) break;
      const [, parentId] = row;
      if (parentId === NO_PARENT) return undefined;
      id = parentId;
    }
    const end = this.#sql.getLastEnd.get(spaceId, id) as [number] | undefined;
    const entry = end && this.#sql.getTrash.get(spaceId, end[0]) as TrashTuple | undefined;
    return entry?.[1] === id ? toTrash(spaceId, entry) : undefined;
  }

  listTrash(
    spaceId: SpaceId, filter: TrashFilter, { beforeRev, limit }: {
      beforeRev: number; limit: number; },
  ): TrashRecord[] {
    const { by, parentId } = filter;
    if (parentId === undefined) {
      const rows = this.#sql.listTrashOfUser.all(spaceId, by, beforeRev, limit) as TrashTuple[];
      return rows.map((row) => toTrash(spaceId, row));
    }
    const found: TrashRecord[] = [];
    for (let before = beforeRev; found.length < limit;) {
      const rows = this.#sql.listTrashOfFolder.all(spaceId, parentId, before, limit) as
        TrashTuple[];
      const records = rows.map((row) => toTrash(spaceId, row));
      found.push(...records.filter((each) => by === undefined || each.deletedBy === by));
      if (rows.length < limit) break;
      before = records.at(-1)?.deletedRev ?? 0;
    }
    return found.slice(0, limit);
  }

  listVersionKeys(
    spaceId: SpaceId, limit: number, after: { nodeId: number; contentRev: number },
  ): VersionKey[] {
    const rows = this.#sql.listVersionKeys.all(spaceId, after.nodeId, after.contentRev, limit) as
      [number, number, number, number][];
    return rows.map(([nodeId, contentRev, sizeBytes, savedAt]) =>
      ({ nodeId: nodeId as NodeId, contentRev, sizeBytes, savedAt }));
  }

  readRetention(scope: RetentionScope): RetentionRule {
    const row = this.#sql.getRetention.get(...retentionKey(scope)) as
      (number | null)[] | undefined;
    const [keepAllDays, keepDailyDays, trashKeepDays] = row ?? [];
    return {
      ...(typeof keepAllDays === 'number' && { keepAllDays }),
      ...(typeof keepDailyDays === 'number' && { keepDailyDays }),
      ...(typeof trashKeepDays === 'number' && { trashKeepDays }),
    };
  }

  findBatch(batchId: number): BatchRecord | undefined {
    const row = this.#sql.getBatch.get(batchId) as BatchTuple | undefined;
    return row && toBatch(row);
  }

  listBatches(
    { spaceId, state }: { spaceId?: SpaceId; state?: BatchState }, limit: number, before: number,
  ): BatchRecord[] {
    const rows = spaceId !== undefined ? this.#sql.listBatchesOfSpace.all(spaceId, before, limit)
      : state !== undefined ? this.#sql.listBatchesInState.all(state, before, limit)
        : this.#sql.listBatches.all(before, limit);
    const found = (rows as BatchTuple[]).map(toBatch);
    return state === undefined ? found : found.filter((each) => each.state === state);
  }
}

/** Lets the event loop turn: a long listing must not hold up other requests. */
function otherRequestsFirst(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

function toPastNode(spaceId: SpaceId, row: readonly unknown[]): PastNode {
  const [id, parentId, canon, name, kind, sizeBytes, modifiedAt, createdAt, mark, contentRev,
    checksums] = row as unknown as NodeTuple;
  const isFolder = kind === KIND_FOLDER;
  return {
    spaceId, id: id as NodeId, parentId: parentId === NO_PARENT ? undefined : parentId as NodeId,
    name: name ?? canon, kind: kindOf(kind), sizeBytes: isFolder ? undefined : sizeBytes,
    modifiedAt: isFolder ? undefined : modifiedAt, createdAt, mark, contentRev, checksums,
  };
}

function toTrash(spaceId: SpaceId, row: TrashTuple): TrashRecord {
  const [deletedRev, nodeId, parentId, name, kind, sizeBytes, deletedAt, deletedBy] = row;
  return {
    spaceId, nodeId: nodeId as NodeId, deletedRev, kind: kindOf(kind), name,
    parentId: parentId as NodeId, sizeBytes, deletedAt, deletedBy: deletedBy as UserId,
  };
}

function toBatch(row: BatchTuple): BatchRecord {
  const [id, spaceId, kind, state, nodeId, asOf, undoes, revFrom, revTo, doneCount, skippedCount,
    by, device, at, endedAt, withSharing] = row;
  return {
    id, spaceId: spaceId as SpaceId, kind: kind as BatchKind, state: state as BatchState,
    nodeId: nodeId as NodeId, asOf, undoes: undoes ?? undefined,
    withSharing: withSharing === 1, revFrom, revTo, doneCount,
    skippedCount, by: by as UserId, device, at, endedAt: endedAt ?? undefined,
  };
}
