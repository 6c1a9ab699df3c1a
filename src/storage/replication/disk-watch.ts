import type { Clock } from '../../platform/index.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import type { CopyTable } from './copy-table.ts';
import type { DiskLink } from './disk-link.ts';
import { parseVolumeName, volumeName } from './file-names.ts';
import type { DiskState } from './volume-disk.ts';

export interface WatchParts {
  readonly links: readonly DiskLink[];
  readonly table: CopyTable;
  readonly clock: Clock;
  /** Silent for so long, a disk is taken for missing. */
  readonly missingAfterMs: number;
  readonly onFinding: OnCopyFinding;
  /** A disk has gone missing, or is back. */
  readonly onState: (link: DiskLink) => void;
}

/** Asks each disk from time to time whether it is there, and has what it should have. */
export class DiskWatch {
  readonly #parts: WatchParts;
  /** What a missing disk was before. */
  readonly #before = new Map<DiskLink, DiskState>();
  readonly #reported = new Set<DiskLink>();
  /** Volumes on each disk which the running store does not know. */
  readonly strangers = new Map<DiskLink, Set<number>>();
  /** Files that nobody could account for at the last look: one that is being made, or is leaving,
   *  looks like that for a moment. */
  readonly #unexplained = new Map<DiskLink, ReadonlySet<number>>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async look(): Promise<void> {
    const links = this.#parts.links.filter(({ state }) => state !== 'retired');
    await Promise.all(links.map((link) => this.#lookAt(link)));
  }

  async #lookAt(link: DiskLink): Promise<void> {
    const known = this.#goodOn(link);
    try {
      const there = new Set(await link.call(0, (files) => files.list()));
      const absent = known.filter((volumeId) => !there.has(volumeName(volumeId)));
      // A disk that is not mounted shows an empty folder: that is no loss of every single file.
      if (absent.length === known.length && known.length > 0) throw coded('ENODEV');
      this.#noteAnswer(link, there);
      this.#noteLost(link, absent);
    } catch (error) {
      this.#noteSilence(link, errorCode(error));
    }
  }

  #goodOn({ id }: DiskLink): number[] {
    const known = this.#parts.table.all().filter((copies) => copies.isGood(id));
    return known.map(({ volumeId }) => volumeId);
  }

  #noteLost(link: DiskLink, volumeIds: readonly number[]): void {
    for (const volumeId of volumeIds) {
      const copies = this.#parts.table.find(volumeId);
      if (copies?.isGood(link.id) !== true) continue;
      copies.states.delete(link.id);
      this.#parts.onFinding({ kind: 'copy-lost', volumeId, diskId: link.id });
    }
  }

  #noteAnswer(link: DiskLink, there: ReadonlySet<string>): void {
    const wasSilent = link.silentSinceMs !== undefined;
    const wasMissing = link.state === 'missing';
    link.noteAnswer();
    this.#reported.delete(link);
    if (wasMissing) {
      link.state = this.#before.get(link) ?? 'active';
      this.#before.delete(link);
      this.#parts.onFinding({ kind: 'disk-returned', volumeId: 0, diskId: link.id });
      this.#parts.onState(link);
    }
    if (wasMissing || wasSilent) this.#takeStock(link, there);
    this.#findUnexplained(link, there, wasMissing || wasSilent);
  }

  #takeStock(link: DiskLink, there: ReadonlySet<string>): void {
    for (const { volumeId, states } of this.#parts.table.all()) {
      // It was expected to be there.
      if (states.get(link.id) === 'unchecked' && !there.has(volumeName(volumeId))) {
        states.delete(link.id);
      }
    }
  }

  /** A disk that was away may hold copies that were made anew elsewhere, or nobody knows of. So may
   *  one that was only slow: it may do what it was told long after that was given up. */
  #findUnexplained(link: DiskLink, there: ReadonlySet<string>, wasAway: boolean): void {
    const before = this.#unexplained.get(link) ?? new Set();
    const now = new Set<number>();
    const strangers = this.strangers.get(link) ?? new Set();
    for (const volumeId of strangers) {
      if (!there.has(volumeName(volumeId))) strangers.delete(volumeId);
    }
    for (const volumeId of [...there].map(parseVolumeName)) {
      const copies = this.#parts.table.find(volumeId);
      if (volumeId === undefined || copies?.states.has(link.id) === true) continue;
      now.add(volumeId);
      if (!wasAway && !before.has(volumeId)) continue;
      if (copies !== undefined) copies.states.set(link.id, 'unchecked');
      else if (!strangers.has(volumeId)) {
        strangers.add(volumeId);
        this.#parts.onFinding({ kind: 'foreign-file', volumeId, diskId: link.id });
      }
    }
    this.#unexplained.set(link, now);
    this.strangers.set(link, strangers);
  }

  #noteSilence(link: DiskLink, code: string): void {
    const { clock, missingAfterMs, onFinding, onState, table } = this.#parts;
    link.noteSilence();
    if (!this.#reported.has(link)) {
      this.#reported.add(link);
      onFinding({ kind: 'disk-silent', volumeId: 0, diskId: link.id, code });
    }
    const silentMs = clock.monotonic() - (link.silentSinceMs ?? clock.monotonic());
    if (link.state === 'missing' || silentMs < missingAfterMs) return;
    this.#before.set(link, link.state);
    link.state = 'missing';
    for (const copies of table.all()) {
      if (copies.states.has(link.id)) copies.demote(link.id, 'unchecked');
    }
    onFinding({ kind: 'disk-missing', volumeId: 0, diskId: link.id, code });
    onState(link);
  }
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}
