/**
 * Builds a tree from nothing but its events, keeping what it was at every revision: a copy is one
 * event that speaks of a tree of the past. docs/formats/metadata.md, Events and Copies.
 */
import { canonicalName } from '../../base/names.ts';
import type { JournalScratch, ReplayedNode } from './journal-scratch.ts';
import type { JournalEvent, JournalOrigin, JournalSpace } from './journal-source.ts';

const PAGE = 500;

/** Asked for each further page of rows that a single event makes: a copy may be very big. */
export type ReplayPause = (rowCount: number) => Promise<void>;

export class JournalReplay {
  readonly #space: JournalSpace;
  readonly #scratch: JournalScratch;
  /** What the journal contradicts itself in: revisions. */
  readonly broken: number[] = [];
  rev = 0;

  constructor(space: JournalSpace, scratch: JournalScratch) {
    this.#space = space;
    this.#scratch = scratch;
  }

  /** `origin`: for a copy from another space, that one, replayed as far as the copy asks for. */
  async apply(
    event: JournalEvent, { origin = this, pause }: { origin?: JournalReplay; pause?: ReplayPause }
    = {},
  ): Promise<void> {
    const { rev, nodeId, parentAfter, nameAfter, copiedFrom } = event;
    const { isFolder, isMount, contentRev } = event;
    if (rev !== this.rev + 1) this.broken.push(this.rev + 1);
    this.rev = rev;
    if (nodeId === this.#space.rootId) return;
    const before = this.#scratch.end(this.#space.id, nodeId, rev);
    if (parentAfter === undefined) return;
    const name = nameAfter ?? before?.name ?? '';
    this.#add({ id: nodeId, parentId: parentAfter, name, isFolder, isMount, contentRev, rev });
    if (copiedFrom !== undefined) await this.#addCopies(event, copiedFrom, { origin, pause });
  }

  /** What lay in a folder at a revision that was replayed, by canonical name. */
  membersAt(
    folderId: number, { rev, afterCanon, limit }: {
      rev: number; afterCanon: string; limit: number;
    },
  ): ReplayedNode[] {
    return this.#scratch.membersAt(this.#space.id, { folderId, rev, afterCanon, limit });
  }

  /** The folder with the lowest id from `fromId` on that there was at a revision. */
  folderAt(fromId: number, rev: number): number | undefined {
    return this.#scratch.folderAt(this.#space.id, { fromId, rev });
  }

  #add(
    { rev, ...node }: Omit<ReplayedNode, 'canon' | 'fromRev' | 'toRev'> & { rev: number },
  ): void {
    const canon = canonicalName(node.name, this.#space.casePolicy);
    this.#scratch.add(this.#space.id, { ...node, canon, fromRev: rev });
  }

  /** Breadth first, members by canonical name, consecutive ids, cut off after `count`; all but
   *  mounts come along. */
  async #addCopies(
    event: JournalEvent, from: JournalOrigin,
    { origin, pause }: { origin: JournalReplay; pause: ReplayPause | undefined },
  ): Promise<void> {
    const originals = [from.nodeId];
    for (let at = 0; at < originals.length && originals.length < from.count; at++) {
      const parentId = event.nodeId + at;
      for (let afterCanon = ''; originals.length < from.count;) {
        const page = { rev: from.rev, afterCanon, limit: PAGE };
        const members = origin.membersAt(originals[at] ?? 0, page);
        for (const member of members) {
          if (member.isMount || originals.length >= from.count) continue;
          const { name, isFolder } = member;
          const contentRev = isFolder ? 0 : from.across?.contentRev ?? member.contentRev;
          const id = event.nodeId + originals.length;
          this.#add({ id, parentId, name, isFolder, isMount: false, contentRev, rev: event.rev });
          originals.push(member.id);
        }
        const last = members.at(-1);
        if (last === undefined || members.length < PAGE) break;
        afterCanon = last.canon;
        await pause?.(PAGE);
      }
      if (at % PAGE === PAGE - 1) await pause?.(PAGE);
    }
    if (originals.length < from.count) this.broken.push(event.rev);
  }
}
