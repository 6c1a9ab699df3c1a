/** Walks the tree on one connection. Each public method works on one snapshot of its own, except
 *  `liveFolder`, which belongs to the snapshot of its caller. */
import { assert } from '../../../../base/assert.ts';
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { CasePolicy, Name } from '../../../../base/names.ts';
import type { NodeRecord } from '../../../records.ts';
import { spaceMissing } from '../../../refusals.ts';
import {
  KIND_FOLDER, KIND_MOUNT, NO_PARENT, toNodeRecord, toNodeRow, toTarget,
} from '../rows.ts';
import type { FolderFigures, NodeRow, NodeTuple, TargetTuple } from '../rows.ts';
import { FolderCache } from './folder-cache.ts';
import { onSnapshot } from './read-statements.ts';
import type { ReadStatements } from './read-statements.ts';
import { RecentPaths } from './recent-paths.ts';
import type { PathStart } from './recent-paths.ts';

const CHAIN_MAX = 100_000;

interface RootRow {
  rootId: number;
  foldersRev: number;
  casePolicy: CasePolicy;
}

export class TreeReader {
  readonly #reads: ReadStatements;
  readonly #cache = new FolderCache();

  readonly #recent: RecentPaths;

  /** `generation` moves on whenever a commit was reported to its caller. */
  constructor(reads: ReadStatements, generation: () => number) {
    this.#reads = reads;
    this.#recent = new RecentPaths(generation);
  }

  #root(spaceId: SpaceId): RootRow | undefined {
    const row = this.#reads.getRoot.get(spaceId) as [number, number, CasePolicy] | undefined;
    if (row === undefined) return undefined;
    const [rootId, foldersRev, casePolicy] = row;
    return { rootId, foldersRev, casePolicy };
  }

  #child(
    spaceId: SpaceId, parentId: number, canon: string, foldersRev: number,
  ): NodeRow | undefined {
    const cached = this.#cache.find({ id: spaceId, foldersRev }, parentId, canon);
    if (cached !== undefined) return cached;
    const tuple = this.#reads.getChild.get(spaceId, parentId, canon) as NodeTuple | undefined;
    return tuple && this.#noted(spaceId, toNodeRow(tuple), foldersRev);
  }

  #node(spaceId: SpaceId, id: number, foldersRev: number): NodeRow | undefined {
    const cached = this.#cache.findById({ id: spaceId, foldersRev }, id);
    if (cached !== undefined) return cached;
    const tuple = this.#reads.getNode.get(spaceId, id) as NodeTuple | undefined;
    return tuple && this.#noted(spaceId, toNodeRow(tuple), foldersRev);
  }

  #noted(spaceId: SpaceId, row: NodeRow, foldersRev: number): NodeRow {
    if (row.kind === KIND_FOLDER) this.#cache.note({ id: spaceId, foldersRev }, row);
    return row;
  }

  #record(spaceId: SpaceId, row: NodeRow): NodeRecord {
    if (row.kind === KIND_MOUNT) {
      const target = toTarget(this.#reads.getMount.get(spaceId, row.id) as TargetTuple);
      return toNodeRecord(spaceId, row, undefined, target);
    }
    if (row.kind !== KIND_FOLDER) return toNodeRecord(spaceId, row, undefined);
    const figures = this.#reads.getFolder.get(spaceId, row.id) as
      [number, number, number] | undefined;
    assert(figures !== undefined, 'a folder has its figures');
    const [mark, sizeBytes, changedAt] = figures;
    return toNodeRecord(spaceId, row, { mark, sizeBytes, changedAt } satisfies FolderFigures);
  }

  /** See MetadataStore.resolve. */
  resolve(spaceId: SpaceId, path: readonly Name[], from?: NodeId): NodeRecord[] {
    const start = { spaceId, from };
    const recent = this.#recent.find(start, path);
    if (recent !== undefined) return [...recent]; // The caller may change what it is given.
    const chain = this.#resolveBelow(start, path) ?? this.#resolveFromStart(start, path);
    this.#recent.note(start, path, chain);
    return chain;
  }

  /** The last step only, when the way to the parent is known: one statement in place of six.
   *  It may see a change that was committed since the way was read and that nobody has been told
   *  of yet; to the caller that is a change made at the same time. */
  #resolveBelow(start: PathStart, path: readonly Name[]): NodeRecord[] | undefined {
    const { spaceId } = start;
    const name = path.at(-1);
    const above = name === undefined ? undefined : this.#recent.findParent(start, path);
    const parent = above?.chain.at(-1);
    if (name === undefined || above === undefined || parent?.kind !== 'folder') return undefined;
    const canon = canonicalName(name, above.casePolicy);
    const tuple = this.#reads.getChild.get(spaceId, parent.id, canon) as NodeTuple | undefined;
    if (tuple === undefined) return [...above.chain];
    const row = toNodeRow(tuple);
    if (row.kind === KIND_FOLDER) return undefined;
    return [...above.chain, this.#record(spaceId, row)];
  }

  /** Where a walk begins. */
  #startRow({ spaceId, from }: PathStart, foldersRev: number): NodeRow | undefined {
    if (from === undefined) return this.#child(spaceId, NO_PARENT, '', foldersRev);
    return this.#chain(spaceId, from)?.at(-1);
  }

  #resolveFromStart(start: PathStart, path: readonly Name[]): NodeRecord[] {
    const { spaceId } = start;
    return onSnapshot(this.#reads, () => {
      const root = this.#root(spaceId);
      if (root === undefined) throw spaceMissing(spaceId);
      const { foldersRev, casePolicy } = root;
      let row = this.#startRow(start, foldersRev);
      if (row === undefined && start.from !== undefined) return [];
      assert(row !== undefined, 'a space has a root');
      const found = [this.#record(spaceId, row)];
      for (const name of path) {
        if (row.kind !== KIND_FOLDER) break;
        row = this.#child(spaceId, row.id, canonicalName(name, casePolicy), foldersRev);
        if (row === undefined) break;
        found.push(this.#record(spaceId, row));
      }
      if (found.length >= path.length && path.length > 0) {
        const chain = found.slice(0, path.length);
        this.#recent.noteParent(start, path, { chain, casePolicy });
      }
      return found;
    });
  }

  /** Rows from the root to a live node; undefined when it is not live. */
  #chain(spaceId: SpaceId, nodeId: NodeId): NodeRow[] | undefined {
    const root = this.#root(spaceId);
    if (root === undefined) return undefined;
    const chain: NodeRow[] = [];
    for (let id: number = nodeId; chain.length < CHAIN_MAX;) {
      const row = this.#node(spaceId, id, root.foldersRev);
      if (row === undefined) return undefined;
      chain.push(row);
      if (row.parentId === NO_PARENT) return chain.reverse();
      id = row.parentId;
    }
    assert(false, 'folders form no cycle');
  }

  /** See MetadataStore.findChain. */
  findChain(spaceId: SpaceId, nodeId: NodeId): NodeRecord[] | undefined {
    return onSnapshot(this.#reads, () =>
      this.#chain(spaceId, nodeId)?.map((row) => this.#record(spaceId, row)));
  }

  /** Ids and names from the root to a live node; undefined when it is not live. */
  findPlace(spaceId: SpaceId, nodeId: NodeId): { id: NodeId; name: string }[] | undefined {
    return onSnapshot(this.#reads, () => this.#chain(spaceId, nodeId));
  }

  isLive(spaceId: SpaceId, nodeId: NodeId): boolean {
    return onSnapshot(this.#reads, () => this.#chain(spaceId, nodeId) !== undefined);
  }

  /** Whether it is a live folder, in the snapshot that the caller has begun. */
  isLiveFolder(spaceId: SpaceId, folderId: NodeId): boolean {
    return this.#chain(spaceId, folderId)?.at(-1)?.kind === KIND_FOLDER;
  }
}
