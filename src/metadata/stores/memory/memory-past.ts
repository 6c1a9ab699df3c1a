/** The past of the in-memory model: each node keeps all states that it ever had. */
import type { NodeId, SpaceId } from '../../../base/ids.ts';
import type { Name } from '../../../base/names.ts';
import type { GrantRecord } from '../../access-records.ts';
import { diffPage } from '../../diff.ts';
import type { DiffOptions, DiffPage } from '../../diff.ts';
import { compareCodePoints } from '../../dead-properties.ts';
import { LIST_PAGE_MAX } from '../../metadata-store.ts';
import type { Horizon, PastListOptions, PastNode, PastSpace, VersionKey } from '../../past.ts';
import type { Instant, TrashRecord } from '../../records.ts';
import { nodeMissing, pastGone, revAhead } from '../../refusals.ts';
import type { MemoryNode, MemorySpace, MemoryState } from './memory-space.ts';

function stateAt(node: MemoryNode, rev: number): MemoryState | undefined {
  return node.history.findLast(({ revFrom }) => revFrom <= rev);
}

function timeOf(space: MemorySpace, rev: number): Instant {
  return space.events[rev - 1]?.at ?? space.record.createdAt;
}

export function checkRev(space: MemorySpace, rev: number): void {
  if (rev > space.record.rev) throw revAhead(rev, space.record.rev);
  if (rev < space.revFloor) throw pastGone(space.revFloor, timeOf(space, space.revFloor));
}

export function revisionAt(space: MemorySpace, at: Instant): number {
  return space.events.findLast((event) => event.at <= at)?.rev ?? 0;
}

export function horizonOf(space: MemorySpace): Horizon {
  return { revFloor: space.revFloor, at: timeOf(space, space.revFloor) };
}

function recordAt(space: MemorySpace, node: MemoryNode, rev: number): PastNode | undefined {
  const state = stateAt(node, rev);
  if (state === undefined || state.isGone) return undefined;
  const { parent, name, ownBytes, modifiedAt, createdAt, mark, contentRev, checksums } = state;
  const isFolder = node.kind === 'folder';
  return {
    spaceId: space.id, id: node.id, parentId: parent?.id, name, kind: node.kind,
    sizeBytes: isFolder ? undefined : ownBytes, modifiedAt: isFolder ? undefined : modifiedAt,
    createdAt, mark: isFolder ? 0 : mark, contentRev, checksums,
    ...(node.target !== undefined && { target: { ...node.target } }),
  };
}

function chainAt(space: MemorySpace, nodeId: NodeId, rev: number): PastNode[] | undefined {
  const chain: PastNode[] = [];
  let node = space.nodes.get(nodeId);
  while (node !== undefined) {
    const record = recordAt(space, node, rev);
    if (record === undefined) return undefined;
    chain.unshift(record);
    if (node === space.root) return chain;
    node = stateAt(node, rev)?.parent;
  }
  return undefined;
}

function membersAt(space: MemorySpace, folder: MemoryNode, rev: number): PastNode[] {
  const members: PastNode[] = [];
  for (const node of space.nodes.values()) {
    const state = stateAt(node, rev);
    const record = state?.parent === folder ? recordAt(space, node, rev) : undefined;
    if (record !== undefined) members.push(record);
  }
  return members.toSorted((a, b) =>
    compareCodePoints(space.canon(a.name), space.canon(b.name)));
}

export class MemoryPast implements PastSpace {
  readonly spaceId: SpaceId;
  readonly rootId: NodeId;
  readonly rev: number;
  readonly at: Instant;
  readonly #space: () => MemorySpace;

  constructor(space: () => MemorySpace, rev: number) {
    checkRev(space(), rev);
    this.#space = space;
    this.rev = rev;
    this.spaceId = space().id;
    this.rootId = space().root.id;
    this.at = timeOf(space(), rev);
  }

  #checked(): MemorySpace {
    const space = this.#space();
    checkRev(space, this.rev);
    return space;
  }

  async resolve(path: readonly Name[], from = this.rootId): Promise<PastNode[]> {
    const space = this.#checked();
    const start = chainAt(space, from, this.rev)?.at(-1);
    if (start === undefined) return [];
    const found = [start];
    for (const name of path) {
      const folder = space.nodes.get(found.at(-1)?.id as NodeId) as MemoryNode;
      const next = membersAt(space, folder, this.rev)
        .find((member) => space.canon(member.name) === space.canon(name));
      if (next === undefined) break;
      found.push(next);
    }
    return found;
  }

  async findChain(nodeId: NodeId): Promise<PastNode[] | undefined> {
    return chainAt(this.#checked(), nodeId, this.rev);
  }

  async listGrants(): Promise<readonly GrantRecord[]> {
    const space = this.#checked();
    const ended = space.grantsPast.filter(({ revTo }) => revTo > this.rev);
    const all = [...space.grants.values(), ...ended.map(({ grant }) => grant)];
    return structuredClone(all.filter(({ revFrom }) => revFrom <= this.rev)
      .toSorted((a, b) => a.id - b.id));
  }

  async* listFolder(
    folderId: NodeId, { signal }: PastListOptions = {},
  ): AsyncIterable<readonly PastNode[]> {
    signal?.throwIfAborted();
    const space = this.#checked();
    const folder = chainAt(space, folderId, this.rev)?.at(-1);
    if (folder?.kind !== 'folder') throw nodeMissing(folderId);
    const members = membersAt(space, space.nodes.get(folderId) as MemoryNode, this.rev);
    for (let from = 0; from < members.length; from += LIST_PAGE_MAX) {
      signal?.throwIfAborted();
      yield members.slice(from, from + LIST_PAGE_MAX);
    }
  }
}

export function diff(
  space: MemorySpace, fromRev: number, toRev: number, options: DiffOptions,
): DiffPage {
  checkRev(space, fromRev);
  checkRev(space, toRev);
  return diffPage({
    listEvents: (afterRev, limit) =>
      space.events.filter(({ rev }) => rev > afterRev).slice(0, limit),
    firstChange: (nodeId, rev) =>
      space.nodes.get(nodeId)?.history.find(({ revFrom }) => revFrom > rev)?.revFrom,
    chainAt: (nodeId, rev) => chainAt(space, nodeId, rev),
  }, { fromRev, toRev, options });
}

export function findDeleted(space: MemorySpace, nodeId: NodeId): TrashRecord | undefined {
  for (let node = space.nodes.get(nodeId); node !== undefined; node = node.parent) {
    const { id } = node;
    const entry = space.trash.find(({ record }) => record.nodeId === id);
    if (entry !== undefined) return structuredClone(entry.record);
  }
  return undefined;
}

export function listVersionKeys(
  space: MemorySpace, limit: number, after: { nodeId: number; contentRev: number },
): VersionKey[] {
  const nodes = [...space.nodes.values()].toSorted((a, b) => a.id - b.id);
  return nodes.flatMap(({ versions }) => versions)
    .filter(({ nodeId, contentRev }) => nodeId > after.nodeId
      || (nodeId === after.nodeId && contentRev > after.contentRev))
    .slice(0, limit)
    .map(({ nodeId, contentRev, sizeBytes, savedAt }) =>
      ({ nodeId, contentRev, sizeBytes, savedAt }));
}
