/** The narrow way to the disk: what a volume store needs of a file system, and nothing more. */

/**
 * One folder of flat files. Every method may reject with an error that carries the system's `code`
 * (`ENOENT`, `ENOSPC`, `EIO`, …). Creation, renaming and removal of files survive a power cut
 * only after `syncFolder`, the bytes of a file only after `sync` or `datasync`.
 */
export interface VolumeFiles {
  /** Names of the files; none when the folder is not there. */
  list(): Promise<string[]>;
  /** Makes the folder, durably, if it is not there. */
  prepare(): Promise<void>;
  /** `create` fails when the file exists; the others when it does not. */
  open(name: string, how: OpenMode): Promise<VolumeFile>;
  rename(from: string, to: string): Promise<void>;
  remove(name: string): Promise<void>;
  syncFolder(): Promise<void>;
  /** Room for us, and the size of the disk. */
  space(): Promise<DiskSpace>;
  /** Of several disks: true when one of them does not answer. It may hold volumes of which the
   *  others know nothing, so numbers above the highest one that is seen may be taken. */
  readonly hidesVolumes?: boolean;
}

export type OpenMode = 'read' | 'write' | 'create';

export interface DiskSpace {
  freeBytes: number;
  totalBytes: number;
}

export interface VolumeFile {
  size(): Promise<number>;
  /** Fills `into` from `position` on; fewer bytes only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of the pieces, one after the other, or rejects, having written some of them. */
  write(pieces: readonly Uint8Array[], position: number): Promise<void>;
  /** After this the bytes written before survive a power cut. Once it has failed, nothing that was
   *  written since the last success can be trusted, and a second try would answer falsely. */
  datasync(): Promise<void>;
  /** `write`, then `datasync`, as one call: to a disk of another machine that is one message and
   *  one answer. When it rejects, both may have failed, and what holds for `datasync` holds. */
  writeDurably(pieces: readonly Uint8Array[], position: number): Promise<void>;
  /** Like `datasync`, and the file's length too. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  close(): Promise<void>;
  /** Of a file that is kept several times: each copy by itself, for a reader whose checksum was not
   *  right, the more trusted ones first. Copies that cannot be reached are among them. */
  readonly copies?: readonly FileCopy[];
  /** Of a file that is kept several times: true when a copy is missing or has fallen behind. What
   *  was written is as safe as promised, but nothing more should be added. */
  readonly degraded?: boolean;
}

/** One of several copies of a file. */
export interface FileCopy {
  /** As VolumeFile.read. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Tells that these bytes are not what was stored, while those of another copy are. */
  reportDamage(position: number, lengthBytes: number): void;
}

/** The system's word for what went wrong, or `unknown`. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? 'unknown';
}

/** True when the disk, or our share of it, has no room. */
export function isOutOfRoom(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(errorCode(error));
}
