import type { VolumeFiles } from '../backends/local/volume-files.ts';

/** Of how many bytes one digest is made. */
export const DIGEST_SPAN_BYTES = 1024 ** 2;
/** How many spans one call may ask for. */
export const DIGEST_SPANS_MAX = 64;

export interface TrashEntry {
  /** What `restoreFromTrash` wants. */
  readonly trashName: string;
  /** What it was called before. */
  readonly name: string;
  readonly trashedAtMs: number;
  readonly sizeBytes: number;
}

export interface SpanDigests {
  /** SHA-256 of each span, in order; the last one of a file is shorter. */
  readonly digests: readonly Buffer[];
  /** Of the whole file. */
  readonly sizeBytes: number;
}

/**
 * One disk: an identity that goes wherever the disk goes, the volume files on it, and what is done
 * with whole files. Nothing here erases a volume: it goes to the trash of its own disk, which costs
 * no room and can be taken back.
 *
 * All methods may run at once. Once `moveToTrash` or `restoreFromTrash` has resolved, it survives a
 * power cut. Errors: those of VolumeFiles, with the system's `code`; and `denied` for a name that
 * is not a volume's, a draft's, a hint's or a parity file's.
 */
export interface Disk {
  readonly id: string;
  /** Removes only drafts and hints, renames only a draft to its own name, replaces nothing. */
  readonly files: VolumeFiles;
  /** @returns the name in the trash. @throws an error with `code` `ENOENT`. */
  moveToTrash(name: string): Promise<string>;
  /** @throws exists: the name is taken again; an error with `code` `ENOENT`. */
  restoreFromTrash(trashName: string): Promise<void>;
  /** Oldest first. */
  listTrash(): Promise<TrashEntry[]>;
  /**
   * Digests of up to DIGEST_SPANS_MAX spans from span number `first` on, read from the disk under a
   * handle of its own. Beyond the end of the file there are none.
   * @throws invalid: a count that is not 1 to DIGEST_SPANS_MAX.
   */
  digests(name: string, first: number, count: number): Promise<SpanDigests>;
}
