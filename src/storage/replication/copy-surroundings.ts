import { decodeTrailer } from '../backends/local/footer-codec.ts';
import { errorCode, isOutOfRoom, type OpenMode } from '../backends/local/volume-files.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import type { CopyTable, VolumeCopies } from './copy-table.ts';
import type { DiskLink } from './disk-link.ts';
import { isVolumeDraft, parseVolumeName, volumeIdOf, volumeName } from './file-names.ts';
import type { FileSurroundings } from './replicated-file.ts';
import type { SetView } from './sets/set-view.ts';
import type { ReplicationPolicy } from './volume-disk.ts';

export interface DamagedPlace {
  readonly volumeId: number;
  readonly diskId: string;
  readonly offset?: number;
  readonly lengthBytes?: number;
}

export interface SurroundingParts {
  readonly table: CopyTable;
  readonly links: readonly DiskLink[];
  readonly policy: ReplicationPolicy;
  readonly onFinding: OnCopyFinding;
  /** Disks in use that have a file of that name. */
  readonly holders: (name: string) => DiskLink[];
  readonly reportDamage: (place: DamagedPlace) => void;
  /** See ReplicatedParts. */
  readonly sets?: SetView | undefined;
}

/** What one open file knows of the copies of its volume, as they are at each moment. */
export class CopySurroundings implements FileSurroundings {
  readonly #name: string;
  readonly #how: OpenMode;
  readonly #parts: SurroundingParts;
  /** A hint, or a note about a volume: for these nobody keeps account. */
  readonly #isSmall: boolean;
  readonly #isHint: boolean;
  /** Sealing and cutting off must go on when a copy is missing from the start. */
  readonly #wholeAtFirst: boolean;

  constructor(name: string, how: OpenMode, parts: SurroundingParts) {
    this.#name = name;
    this.#how = how;
    this.#parts = parts;
    this.#isSmall = parseVolumeName(name) === undefined && !isVolumeDraft(name);
    this.#isHint = name.endsWith('.hint');
    this.#wholeAtFirst = how === 'create' || this.#isWhole();
  }

  nameNow(): string {
    // A volume is opened under its draft's name and keeps that handle when it gets its own.
    const copies = isVolumeDraft(this.#name) ? this.#find() : undefined;
    return copies === undefined ? this.#name : volumeName(copies.volumeId);
  }

  decoded() {
    return this.#how === 'read' && this.#known() !== undefined
      ? this.#parts.sets?.decoded(parseVolumeName(this.#name)) : undefined;
  }

  isWhole({ id }: DiskLink): boolean {
    return this.#known()?.isGood(id) === true;
  }

  isTrusted({ id }: DiskLink): boolean {
    const copies = this.#known();
    return copies === undefined || copies.isGood(id) || copies.good.length === 0;
  }

  versionOf({ id }: DiskLink): number {
    return this.#find()?.replacedCount(id) ?? 0;
  }

  sources(): DiskLink[] {
    const copies = this.#known();
    // If there is no whole copy, damaged ones must do: whoever reads checks, and asks for others.
    const wanted = copies !== undefined && copies.good.length === 0 ? 'damaged' : 'good';
    const sources = this.#parts.holders(this.nameNow()).filter(({ id }) =>
      copies === undefined || copies.states.get(id) === wanted);
    const hintDiskId = this.#isHint ? this.#find()?.hintDiskId : undefined;
    const rank = (link: DiskLink): number => (link.silentSinceMs === undefined ? 0 : 4)
      + (hintDiskId === undefined || hintDiskId === link.id ? 0 : 2) + (link.remote ? 1 : 0);
    return sources.sort((a, b) => rank(a) - rank(b));
  }

  lastResorts(): DiskLink[] {
    const copies = this.#known();
    if (copies === undefined) return [];
    return this.#parts.links.filter(({ id, state }) => state !== 'retired' && !copies.isGood(id)
      && copies.states.get(id) !== 'differs'
      && (copies.states.has(id) || copies.list.diskIds.includes(id)));
  }

  writesMin(): number {
    if (this.#isHint) return 1;
    const copies = this.#known();
    if (copies === undefined) return this.#parts.holders(this.nameNow()).length;
    return this.#wholeAtFirst ? copies.list.acksMin : 1;
  }

  isDegraded(): boolean {
    const copies = this.#known();
    if (copies === undefined) return false;
    if (copies.isToEnd) return true;
    // The rest of the set stands for the copies that it does not have.
    if (this.#parts.sets?.has(copies.volumeId) === true) return false;
    const { policy, links } = this.#parts;
    const staying = links.filter(({ id, state }) => state === 'active' && copies.isGood(id));
    const tooFewAcks = copies.list.acksMin < policy.acksMin;
    // It may have been opened with fewer copies than wanted: repair says when that has to end.
    return tooFewAcks || staying.length < copies.list.copies;
  }

  onWritten(end: number): void {
    const copies = this.#known();
    if (copies !== undefined) copies.sizeBytes = Math.max(copies.sizeBytes, end);
  }

  onDurable(pieces: readonly Uint8Array[], position: number): void {
    const copies = this.#known();
    if (copies === undefined) return;
    copies.markEnd = Math.max(copies.markEnd, endOfBatch(pieces, position));
    copies.trailerBytes = undefined;
  }

  onCut(): void {
    const copies = this.#known();
    if (copies !== undefined) copies.trailerBytes = undefined;
  }

  onSynced(lastPiece: Uint8Array | undefined): void {
    const copies = this.#known();
    if (copies === undefined || lastPiece === undefined) return;
    const bytes = Buffer.from(lastPiece);
    if (decodeTrailer(bytes, copies.volumeId) !== undefined) copies.trailerBytes = bytes;
  }

  onWriteFailed(link: DiskLink, error: unknown): void {
    noteFullDisk(link, error);
    const isRefused = link.silentSinceMs === undefined && !isOutOfRoom(error);
    if (isRefused) link.noteRefusal(errorCode(error));
    const copies = this.#known();
    // When the best one fails, what it did not take was acknowledged to nobody.
    if (copies?.isLastOfItsKind(link.id) === true) return;
    if (copies?.demote(link.id, 'stale') !== true) return;
    const { volumeId } = copies;
    const code = errorCode(error);
    this.#parts.onFinding({ kind: 'copy-failed', volumeId, diskId: link.id, code });
  }

  onReadFailed(link: DiskLink, error: unknown): void {
    const copies = this.#known();
    const code = errorCode(error);
    if (link.silentSinceMs !== undefined || copies === undefined) return;
    const { volumeId } = copies;
    if (code === 'ENOENT') {
      copies.states.delete(link.id);
      this.#parts.onFinding({ kind: 'copy-lost', volumeId, diskId: link.id, code });
    } else if (copies.demote(link.id, 'damaged')) {
      this.#parts.onFinding({ kind: 'copy-damaged', volumeId, diskId: link.id, code });
    }
  }

  onDamage(link: DiskLink, offset: number, lengthBytes: number): void {
    const volumeId = volumeIdOf(this.#name) ?? 0;
    this.#parts.reportDamage({ volumeId, diskId: link.id, offset, lengthBytes });
  }

  onClosed(): void {
    const copies = this.#known();
    if (this.#how !== 'read' && copies !== undefined && copies.writers > 0) copies.writers--;
  }

  #find(): VolumeCopies | undefined {
    return this.#parts.table.find(volumeIdOf(this.#name));
  }

  #known(): VolumeCopies | undefined {
    return this.#isSmall ? undefined : this.#find();
  }

  #isWhole(): boolean {
    const copies = this.#find();
    return (copies?.good.length ?? 0) >= (copies?.list.copies ?? 1);
  }
}

/** It is not asked again for a while whether there is room. */
export function noteFullDisk(link: DiskLink, error: unknown): void {
  if (isOutOfRoom(error)) link.noteFull();
}

/** Where a batch ends that is followed by zeros: the last 8 bytes of its commit record are never
 *  all zero, for they begin with the batch's length. */
function endOfBatch(pieces: readonly Uint8Array[], position: number): number {
  let end = position + pieces.reduce((sum, { length }) => sum + length, 0);
  for (const piece of [...pieces].reverse()) {
    for (let at = piece.length - 1; at >= 0; at--, end--) {
      if (piece[at] !== 0) return Math.ceil(end / 8) * 8;
    }
  }
  return 0;
}
