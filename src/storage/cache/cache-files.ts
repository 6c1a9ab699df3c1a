/** The narrow way to the cache's folder. */

export interface FilePart {
  readonly position: number;
  readonly lengthBytes: number;
}

/**
 * One folder of flat files that nobody misses: it may vanish, whole or in part, at any time.
 *
 * Every method may reject with an error that carries the system's `code` (`ENOENT`, `ENOSPC`,
 * `EIO`, …). Nothing is synced: after a power cut a file may be whole, short, empty or gone.
 */
export interface CacheFiles {
  /** Makes the folder if it is not there. */
  prepare(): Promise<void>;
  /** The names of the files, in no order. */
  list(): AsyncIterable<string>;
  /** The parts of one file; a part is shorter when the file ends early. */
  read(name: string, parts: readonly FilePart[]): Promise<Buffer[]>;
  /** A reader sees the whole file or none. Leaves nothing behind when it fails, if it can. */
  write(name: string, pieces: readonly Uint8Array[]): Promise<void>;
  /** Calm when there is no such file. */
  remove(name: string): Promise<void>;
}

/** The system's word for what went wrong, or `unknown`. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? 'unknown';
}
