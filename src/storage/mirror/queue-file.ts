/**
 * One small file that survives a power cut: what a mirror needs of a disk.
 *
 * Calls are made one after the other. Once `append` has failed, what it wrote is unknown and the
 * file is only replaced. `read` may be called before anything else only.
 */
export interface QueueFile {
  /** All of it, perhaps with zeros behind; undefined when there is none. */
  read(): Promise<Buffer | undefined>;
  /** Adds bytes at the end of what was replaced or appended; durable when it resolves. */
  append(bytes: Uint8Array): Promise<void>;
  /** Puts a new file in its place, all or nothing; durable when it resolves. */
  replace(bytes: Uint8Array): Promise<void>;
  /** Calm when called twice. */
  close(): Promise<void>;
}
