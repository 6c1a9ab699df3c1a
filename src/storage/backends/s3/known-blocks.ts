/** Which blocks a store of objects has, in memory: listed once at the opening, kept up by puts and
 *  by the collector. About 30 bytes for each block. */
import type { BlockId } from '../../../base/ids.ts';
import { BlockIndex, type BlockPlace } from '../local/block-index.ts';

export class KnownBlocks {
  /** Every block lies in one place: its object. */
  readonly index = new BlockIndex();
  readonly #key = Buffer.alloc(32);

  /** Its size; undefined when there is none. */
  find(id: BlockId): number | undefined {
    return this.index.find(this.#keyOf(id), 0)?.sizeBytes;
  }

  /** Somebody needs the block now, if there is one. */
  touch(id: BlockId): void {
    this.index.touch(this.#keyOf(id), 0);
  }

  /** The block is there now, and needed. */
  stored(id: BlockId, sizeBytes: number): void {
    this.index.set(this.#keyOf(id), 0, placeOf(sizeBytes));
  }

  /** A listing names the block. What is known of it is newer. */
  listed(id: BlockId, sizeBytes: number): void {
    if (!this.index.has(this.#keyOf(id), 0)) this.stored(id, sizeBytes);
  }

  /** A listing of the store was read anew: nothing else is there, as far as this goes. */
  relist(listed: KnownBlocks): void {
    this.index.adopt(listed.index);
  }

  isCondemned(id: BlockId): boolean {
    return this.index.isCondemned(this.#keyOf(id), 0);
  }

  /** Forgets the block if it is condemned still. */
  drop(id: BlockId): boolean {
    const key = this.#keyOf(id);
    const place = this.index.find(key, 0);
    return place !== undefined && this.index.drop(key, 0, place);
  }

  #keyOf(id: BlockId): Buffer {
    this.#key.write(id, 0, 32, 'hex');
    return this.#key;
  }
}

function placeOf(sizeBytes: number): BlockPlace {
  return { volumeId: 1, offset: 0, sizeBytes };
}
