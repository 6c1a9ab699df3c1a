/**
 * Builds a tree from nothing but its events, keeping what it was at every revision: a copy is one
 * event that speaks of a tree of the past. docs/formats/metadata.md, Events and Copies.
 */
import { canonicalName } from '../../base/names.ts';
import type { JournalEvent, JournalOrigin, JournalSpace } from './journal-source.ts';

export interface ReplayedNode {
  id: number;
  parentId: number;
  name: string;
  isFolder: boolean;
  isMount: boolean;
  contentRev: number;
  /** It is so from this revision on… */
  fromRev: number;
  /** …up to this one, not included. */
  toRev: number;
}

const EVER = Number.MAX_SAFE_INTEGER;

export class JournalReplay {
  readonly #space: JournalSpace;
  readonly #live = new Map<number, ReplayedNode>();
  readonly #byParent = new Map<number, ReplayedNode[]>();
  /** What the journal contradicts itself in: revisions. */
  readonly broken: number[] = [];
  rev = 0;
  /** Rows in memory, those of the past included. */
  rowCount = 0;

  constructor(space: JournalSpace) {
    this.#space = space;
  }

  /** `origin`: for a copy from another space, that one, replayed as far as the copy asks for. */
  apply(event: JournalEvent, origin: JournalReplay = this): void {
    const { rev, nodeId, parentAfter, nameAfter, copiedFrom } = event;
    const { isFolder, isMount, contentRev } = event;
    if (rev !== this.rev + 1) this.broken.push(this.rev + 1);
    this.rev = rev;
    if (nodeId === this.#space.rootId) return;
    const before = this.#live.get(nodeId);
    this.#close(nodeId, rev);
    if (parentAfter === undefined) return;
    const name = nameAfter ?? before?.name ?? '';
    this.#add({ id: nodeId, parentId: parentAfter, name, isFolder, isMount, contentRev, rev });
    if (copiedFrom !== undefined) this.#addCopies(event, copiedFrom, origin);
  }

  /** By id, what lies in a folder now. */
  membersOf(folderId: number): Map<number, ReplayedNode> {
    const rows = this.#byParent.get(folderId) ?? [];
    return new Map(rows.filter(({ toRev }) => toRev === EVER).map((row) => [row.id, row]));
  }

  #add(node: Omit<ReplayedNode, 'fromRev' | 'toRev'> & { rev: number }): void {
    const { rev, ...rest } = node;
    const row: ReplayedNode = { ...rest, fromRev: rev, toRev: EVER };
    this.#live.set(row.id, row);
    const siblings = this.#byParent.get(row.parentId);
    if (siblings === undefined) this.#byParent.set(row.parentId, [row]);
    else siblings.push(row);
    this.rowCount++;
  }

  #close(nodeId: number, rev: number): void {
    const row = this.#live.get(nodeId);
    if (row === undefined) return;
    row.toRev = rev;
    this.#live.delete(nodeId);
  }

  /** Breadth first, members by canonical name, consecutive ids, cut off after `count`. */
  #addCopies(event: JournalEvent, from: JournalOrigin, origin: JournalReplay): void {
    const originals = [from.nodeId];
    for (let at = 0; at < originals.length && originals.length < from.count; at++) {
      const parentId = event.nodeId + at;
      for (const member of origin.copiedMembersAt(originals[at] ?? 0, from.rev)) {
        if (originals.length >= from.count) break;
        const { name, isFolder } = member;
        const contentRev = isFolder ? 0 : from.across?.contentRev ?? member.contentRev;
        const id = event.nodeId + originals.length;
        this.#add({ id, parentId, name, isFolder, isMount: false, contentRev, rev: event.rev });
        originals.push(member.id);
      }
    }
    if (originals.length < from.count) this.broken.push(event.rev);
  }

  /** What of a folder came along with a copy at `rev`: all but mounts, by canonical name. */
  copiedMembersAt(folderId: number, rev: number): ReplayedNode[] {
    const key = ({ name }: ReplayedNode): Buffer =>
      Buffer.from(canonicalName(name, this.#space.casePolicy));
    // The order of bytes in UTF-8 is that of code points.
    return (this.#byParent.get(folderId) ?? [])
      .filter(({ fromRev, toRev, isMount }) => fromRev <= rev && rev < toRev && !isMount)
      .map((row) => ({ row, bytes: key(row) }))
      .sort((a, b) => a.bytes.compare(b.bytes))
      .map(({ row }) => row);
  }
}
