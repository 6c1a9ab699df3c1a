/** What a verifier may do with blocks that lie as objects in a store: list and read them. */

export interface StoredObject {
  /** Of the block that it should be: 64 small hexadecimal digits. */
  id: string;
  sizeBytes: number;
}

export interface StoredObjects {
  /** All objects among the blocks, in pages, ascending by id, strictly after `after`. It ends only
   *  where the listing of this very store ends. @throws unavailable: the store cannot be asked, or
   *  is gone: then nobody may say that a block is nowhere. */
  list(after: string | undefined, signal: AbortSignal): AsyncIterable<readonly StoredObject[]>;
  /** The bytes as they are now, unchecked and past every cache; undefined: the store says that
   *  there is no such object. @throws unavailable. */
  read(id: string, signal: AbortSignal): Promise<Buffer | undefined>;
}
