/**
 * What a copy is made of, read in pieces of bounded size.
 *
 * The tree is read as of one revision: live rows that are not younger, and closed rows that were
 * closed later. So the pieces fit together although other changes commit in between, and a second
 * pass meets the very same nodes in the same order. The first pass counts and sums up; the second
 * writes. The order (breadth first, members by canonical name) also gives the copies their ids, see
 * CopyOrigin.
 */
import { assert } from '../../../../base/assert.ts';
import type { NodeId, SpaceId } from '../../../../base/ids.ts';
import { canonicalName } from '../../../../base/names.ts';
import type { CasePolicy } from '../../../../base/names.ts';
import { COPY_NODES_MAX } from '../../../changes.ts';
import type { Instant } from '../../../records.ts';
import { copyTooLarge, nameClash } from '../../../refusals.ts';
import { KIND_FILE, KIND_FOLDER, storedName } from '../rows.ts';
import { windowAfter } from '../as-of-window.ts';
import type { Statements } from '../statements.ts';

type Member = [
  canon: string, id: number, name: string | null, kind: number, sizeBytes: number,
  modifiedAt: number, contentRev: number, checksums: string,
];

/** How far a pass has come: within which folder, after which member. */
interface Cursor {
  folderIndex: number;
  after: string;
}

export interface CopySource {
  spaceId: SpaceId;
  nodeId: NodeId;
  /** 0 for a folder. */
  ownBytes: number;
  /** Whether there are members to copy. */
  withMembers: boolean;
  /** Revision as of which it is read. */
  rev: number;
  /** More than these are refused. */
  nodesMax?: number;
  /** Nodes whose copies somebody asks for: see `copyOf`. */
  watched?: ReadonlySet<number>;
}

/** What the copies are to be. */
export interface CopyAims {
  spaceId: SpaceId;
  /** Mark and first revision of all below the copied root. */
  mark: number;
  /** Content revision of all files; undefined: that of the originals. */
  contentRev: number | undefined;
  /** Of the space, when names clash in it by other rules than where they come from. */
  casePolicy: CasePolicy | undefined;
}

export class CopyPlan {
  readonly source: CopySource;
  readonly #sql: Statements;
  /** Ids of the folders to copy, breadth first; beside each the place of its parent in this list,
   *  and the bytes of the files in it (once `scan` is through: at and below it). */
  readonly #folderIds: number[] = [];
  readonly #parentIndex: number[] = [];
  readonly #folderBytes: number[] = [];
  /** By the id of a watched node, that of its copy. Final once `build` is through. */
  readonly copyOf = new Map<NodeId, NodeId>();
  /** Ids of the copies of those folders, as far as they are given. */
  readonly #copyIds: number[] = [];
  readonly #scan: Cursor = { folderIndex: 0, after: '' };
  readonly #build: Cursor = { folderIndex: 0, after: '' };
  #nodeCount = 1;
  #builtCount = 1;

  constructor(sql: Statements, source: CopySource) {
    this.#sql = sql;
    this.source = source;
    if (!source.withMembers) return;
    this.#folderIds.push(source.nodeId);
    this.#parentIndex.push(-1);
    this.#folderBytes.push(0);
  }

  /** All nodes, the copied one included. Final once `scan` is through. */
  get nodeCount(): number {
    return this.#nodeCount;
  }

  /** Sum of all files. Final once `scan` is through. */
  get sizeBytes(): number {
    return this.source.ownBytes + (this.#folderBytes[0] ?? 0);
  }

  /** Members behind the cursor, perhaps none; the cursor moves past what was looked at. */
  #page(cursor: Cursor): Member[] {
    const { spaceId, rev } = this.source;
    const { after } = cursor;
    const folderId = this.#folderIds[cursor.folderIndex] ?? 0;
    const { end, isLast } = windowAfter(this.#sql, { spaceId, folderId, after });
    cursor.after = isLast ? '' : end;
    if (isLast) cursor.folderIndex += 1;
    return this.#sql.listAsOf.all(spaceId, folderId, after, end, rev, spaceId, folderId, after, end,
      rev, rev) as Member[];
  }

  /** Counts about `budget` nodes more; true when it is through. @throws too-large. */
  scan(budget: number): boolean {
    let left = budget;
    while (this.#scan.folderIndex < this.#folderIds.length) {
      if (left <= 0) return false;
      const { folderIndex } = this.#scan;
      const page = this.#page(this.#scan);
      for (const [, id, , kind, sizeBytes] of page) {
        if (kind === KIND_FOLDER) {
          this.#folderIds.push(id);
          this.#parentIndex.push(folderIndex);
          this.#folderBytes.push(0);
        } else {
          this.#folderBytes[folderIndex] = (this.#folderBytes[folderIndex] ?? 0) + sizeBytes;
        }
      }
      this.#nodeCount += page.length;
      const { nodesMax = COPY_NODES_MAX } = this.source;
      if (this.#nodeCount > nodesMax) throw copyTooLarge(nodesMax);
      left -= page.length + 1;
    }
    this.#sumUp();
    return true;
  }

  /** Children stand after their parents, so one walk from the end carries every size upwards. */
  #sumUp(): void {
    for (let index = this.#folderIds.length - 1; index > 0; index -= 1) {
      const parent = this.#parentIndex[index] ?? 0;
      this.#folderBytes[parent] =
        (this.#folderBytes[parent] ?? 0) + (this.#folderBytes[index] ?? 0);
    }
  }

  /** Writes about `budget` copies more, all below the root of the copy, which the caller writes
   *  when it attaches it; true when it is through. @throws conflict `name-clash`: two names of one
   *  folder are one by the rules of the space they go to. */
  build(firstId: NodeId, at: Instant, budget: number, aims: CopyAims): boolean {
    if (this.#copyIds.length === 0) {
      this.#copyIds.push(firstId);
      this.copyOf.set(this.source.nodeId, firstId);
    }
    let left = budget;
    while (this.#build.folderIndex < this.#folderIds.length) {
      if (left <= 0) return false;
      const parentId = this.#copyIds[this.#build.folderIndex];
      assert(parentId !== undefined, 'a copied folder comes before its members');
      const page = this.#page(this.#build);
      for (const member of page) {
        const place = { id: firstId + this.#builtCount, parentId, at };
        this.#copyMember(member, place, aims);
      }
      left -= page.length + 1;
    }
    assert(this.#builtCount === this.#nodeCount, 'both passes of a copy meet the same nodes');
    return true;
  }

  #copyMember(
    member: Member, { id, parentId, at }: { id: number; parentId: number; at: Instant },
    aims: CopyAims,
  ): void {
    const [, fromId, , kind, sizeBytes, modifiedAt, contentRev, checksums] = member;
    const { spaceId, mark } = aims;
    const isFile = kind === KIND_FILE;
    const [canon, storedAs] = this.#nameOf(member, parentId, aims);
    const newRev = isFile ? aims.contentRev ?? contentRev : 0;
    this.#sql.insertNode.run(spaceId, parentId, canon, id, storedAs, kind, sizeBytes, modifiedAt,
      at, isFile ? mark : 0, newRev, checksums, mark);
    if (isFile) {
      this.#sql.copyVersion.run(spaceId, id, newRev, this.source.spaceId, fromId, contentRev);
    } else {
      const index = this.#copyIds.length;
      assert(this.#folderIds[index] === fromId, 'both passes of a copy meet the same folders');
      this.#copyIds.push(id);
      this.#sql.insertFolder.run(spaceId, id, mark, this.#folderBytes[index] ?? 0, at);
    }
    this.#sql.copyProperties.run(spaceId, id, this.source.spaceId, fromId);
    if (this.source.watched?.has(fromId) === true) this.copyOf.set(fromId as NodeId, id as NodeId);
    this.#builtCount += 1;
  }

  /** Canonical and stored name of a copy. */
  #nameOf(
    [canon, fromId, name]: Member, parentId: number, { spaceId, casePolicy }: CopyAims,
  ): [canon: string, storedAs: string | null] {
    if (casePolicy === undefined) return [canon, name];
    const ownName = name ?? canon;
    const newCanon = canonicalName(ownName, casePolicy);
    const there = this.#sql.getChild.get(spaceId, parentId, newCanon);
    if (there !== undefined) throw nameClash(fromId as NodeId);
    return [newCanon, storedName(ownName, newCanon)];
  }

  /** The folders that were met, breadth first, each with the sum of the files at and below it.
   *  Final once `scan` is through. */
  * folderSums(): Generator<{ id: NodeId; sizeBytes: number }> {
    for (const [index, id] of this.#folderIds.entries()) {
      yield { id: id as NodeId, sizeBytes: this.#folderBytes[index] ?? 0 };
    }
  }
}
