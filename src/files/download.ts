/**
 * From a manifest to bytes: positioned, checked reads of at most READ_BYTES, one ahead of the
 * reader, so a download holds two of them in memory however large the file or slow the client.
 */
import { HoldfastError } from '../base/errors.ts';
import type { NodeRecord } from '../metadata/index.ts';
import type { BlockStore } from '../storage/index.ts';
import type { BlockRef, Manifest } from './manifest.ts';
import { readEntries } from './manifest.ts';

export const READ_BYTES = 1024 * 1024;

/** Half open: `startBytes` up to, not including, `endBytes`. */
export interface ByteRange {
  startBytes: number;
  endBytes: number;
}

interface Slice {
  block: BlockRef;
  offsetBytes: number;
  lengthBytes: number;
}

/** The content of a file as it was when it was opened: later changes do not touch it. */
export class FileContent {
  readonly node: NodeRecord;
  readonly #store: BlockStore;
  readonly #blocks: readonly BlockRef[];

  constructor(node: NodeRecord, store: BlockStore, blocks: readonly BlockRef[]) {
    this.node = node;
    this.#store = store;
    this.#blocks = blocks;
  }

  get sizeBytes(): number {
    return this.node.sizeBytes;
  }

  /** True when the whole content is one read: then `readWhole` saves the machinery of `read`. */
  get isSmall(): boolean {
    return this.sizeBytes <= READ_BYTES && this.#blocks.length <= 1;
  }

  /** Only for a small content. @throws corrupt: the stored bytes are damaged. */
  async readWhole(signal?: AbortSignal): Promise<Buffer> {
    const [only] = this.#blocks;
    return only === undefined ? Buffer.alloc(0) : this.#store.get(only.id, signal);
  }

  /** Yields the bytes of the range in order, in pieces of at most READ_BYTES.
   *  @throws invalid: not inside the content; corrupt: nothing wrong is ever yielded. */
  async *read(range: ByteRange, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const { startBytes, endBytes } = range;
    if (startBytes < 0 || endBytes < startBytes || endBytes > this.sizeBytes) {
      throw new HoldfastError('invalid', 'files/FileContent.read', 'No such range in this file.');
    }
    let ahead: Promise<Buffer> | undefined;
    try {
      for (const slice of slicesOf(this.#blocks, range)) {
        const ready = ahead;
        const next = this.#store.read(slice.block.id, slice.offsetBytes, slice.lengthBytes, signal);
        next.catch(() => undefined); // Reported where it is awaited, or no longer wanted.
        ahead = next;
        if (ready !== undefined) yield await ready;
      }
      if (ahead !== undefined) yield await ahead;
    } finally {
      await ahead?.catch(() => undefined); // So that closing the store finds no read under way.
    }
  }
}

function* slicesOf(blocks: readonly BlockRef[], range: ByteRange): Generator<Slice> {
  let blockStart = 0;
  for (const block of blocks) {
    const from = Math.max(range.startBytes, blockStart);
    const to = Math.min(range.endBytes, blockStart + block.sizeBytes);
    for (let at = from; at < to;) {
      const offsetBytes = at - blockStart;
      // Ends on a multiple of READ_BYTES, so that each segment is read and checked once.
      const untilBoundary = READ_BYTES - (offsetBytes % READ_BYTES);
      const lengthBytes = Math.min(to - at, untilBoundary);
      yield { block, offsetBytes, lengthBytes };
      at += lengthBytes;
    }
    blockStart += block.sizeBytes;
    if (blockStart >= range.endBytes) return;
  }
}

/** The blocks of the content, following an indirect manifest. */
export async function blocksOf(
  store: BlockStore, manifest: Manifest,
): Promise<readonly BlockRef[]> {
  if (!manifest.indirect) return manifest.blocks;
  const pages: Buffer[] = [];
  for (const { id } of manifest.blocks) pages.push(await store.get(id));
  return readEntries(Buffer.concat(pages));
}
