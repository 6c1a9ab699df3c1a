/** What is in the cache, and what was used longest ago. */
import { parseBlockId, type BlockId } from '../../base/ids.ts';
import { diskBytesOf } from './cache-entry.ts';

const NAME = /^([0-9a-f]{64})-([1-9][0-9]{0,7})-([0-9a-z]{1,10})\.(block|sealed)$/;

/** Blocks as they are, or encrypted ones: docs/formats/object-store.md, "A sealed block". */
export type CacheForm = 'block' | 'sealed';

export interface CachedBlock {
  readonly id: BlockId;
  readonly form: CacheForm;
  /** Of what is cached. */
  readonly sizeBytes: number;
  /** Grows with every block that is cached: says after a restart which came first. */
  readonly order: number;
}

/** The name says all that a start needs to know, so no file is opened for it. */
export function nameOf({ id, sizeBytes, order, form }: CachedBlock): string {
  return `${id}-${sizeBytes}-${order.toString(36)}.${form}`;
}

/** Undefined for a name that is not ours: such a file is left alone. */
export function parseName(name: string): CachedBlock | undefined {
  const [, id, size, order, form] = NAME.exec(name) ?? [];
  if (id === undefined || size === undefined || order === undefined) return undefined;
  return {
    id: parseBlockId(id), sizeBytes: Number(size), order: Number.parseInt(order, 36),
    form: form === 'sealed' ? 'sealed' : 'block',
  };
}

interface Link extends CachedBlock {
  older: Link | undefined;
  newer: Link | undefined;
}

/**
 * The cached blocks in the order of their last use. A linked list beside the map: a Map alone keeps
 * holes where entries were deleted, and each look for its oldest entry would step over them.
 */
export class CacheIndex {
  readonly #links = new Map<BlockId, Link>();
  #oldest: Link | undefined;
  #newest: Link | undefined;
  #storedBytes = 0;

  get blockCount(): number {
    return this.#links.size;
  }

  /** What the files take of the disk. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  has(id: BlockId): boolean {
    return this.#links.has(id);
  }

  /** Finds a block and makes it the one used last. */
  use(id: BlockId): CachedBlock | undefined {
    const link = this.#links.get(id);
    if (link === undefined || link === this.#newest) return link;
    this.#unlink(link);
    this.#linkNewest(link);
    return link;
  }

  /** Adds a block as the one used last; the index must not have it. */
  add(block: CachedBlock): void {
    const link: Link = { ...block, older: undefined, newer: undefined };
    this.#links.set(block.id, link);
    this.#storedBytes += diskBytesOf(block.sizeBytes);
    this.#linkNewest(link);
  }

  /** Forgets this very entry; a later one of the same block stays. True if it was there. */
  drop(block: CachedBlock): boolean {
    const link = this.#links.get(block.id);
    if (link?.order !== block.order) return false;
    this.#links.delete(block.id);
    this.#storedBytes -= diskBytesOf(link.sizeBytes);
    this.#unlink(link);
    return true;
  }

  oldest(): CachedBlock | undefined {
    return this.#oldest;
  }

  find(id: BlockId): CachedBlock | undefined {
    return this.#links.get(id);
  }

  #linkNewest(link: Link): void {
    link.older = this.#newest;
    link.newer = undefined;
    if (this.#newest === undefined) this.#oldest = link;
    else this.#newest.newer = link;
    this.#newest = link;
  }

  #unlink(link: Link): void {
    if (link.older === undefined) this.#oldest = link.newer;
    else link.older.newer = link.newer;
    if (link.newer === undefined) this.#newest = link.older;
    else link.newer.older = link.older;
  }
}
