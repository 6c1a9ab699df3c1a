/** What a verifier may do with blocks that lie as objects in a store: list and read them. */
import type { Pace } from '../volume/volume-window.ts';
import { openObject } from './object-format.ts';

export interface StoredObject {
  /** Of the block that it should be: 64 small hexadecimal digits. */
  id: string;
  /** Of the object. */
  sizeBytes: number;
}

export interface TrashedObject extends StoredObject {
  /** The number under which it went to the trash. */
  batch: number;
}

export interface StoredObjects {
  /** Whether blocks may lie there sealed, so that objects have lengths of their own. */
  readonly maySeal: boolean;
  /** All objects among the blocks, in pages, ascending by id, strictly after `after`. It ends only
   *  where the listing of this very store ends. @throws unavailable: the store cannot be asked, or
   *  is gone: then nobody may say that a block is nowhere. */
  list(after: string | undefined, signal: AbortSignal): AsyncIterable<readonly StoredObject[]>;
  /** The bytes as they are now, unchecked and past every cache; undefined: the store says that
   *  there is no such object. @throws unavailable. */
  read(id: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** All objects in the trash, by batches in ascending order. @throws as `list`. */
  listTrash(signal: AbortSignal): AsyncIterable<readonly TrashedObject[]>;
}

/** Where blocks are read that verifiers need themselves: lists of blocks of big files. */
export interface ObjectSource {
  objects: StoredObjects;
  /** Reads a block that verifiers cannot read themselves, because it is encrypted. */
  readBlock?: (id: string) => Promise<Buffer | undefined>;
}

export function objectReader(
  { objects, readBlock }: ObjectSource, { signal }: Pace,
): (id: string) => Promise<Buffer | undefined> {
  return async (id) => {
    const bytes = await objects.read(id, signal);
    const opened = bytes && await openObject(id, bytes);
    return opened === undefined ? undefined : opened.block ?? await readBlock?.(id);
  };
}

/** An id before which nothing is left out that is not before `from`. */
export function justBefore(from: string): string | undefined {
  if (from === '') return undefined;
  const value = BigInt(`0x${from.padEnd(64, '0')}`);
  return value === 0n ? undefined : (value - 1n).toString(16).padStart(64, '0');
}
