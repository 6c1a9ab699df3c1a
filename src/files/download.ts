/**
 * From a manifest to bytes: positioned, checked reads of at most READ_BYTES, one ahead of the
 * reader, so a download holds two of them in memory however large the file or slow the client.
 * Both are used again and again, and by the next download: with new memory for every read,
 * collecting the old took a fifth of the time.
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

  /** Yields the bytes of the range in order, in pieces of at most READ_BYTES. A piece is valid
   *  until the next one is asked for.
   *  @throws invalid: not inside the content; corrupt: nothing wrong is ever yielded. */
  async *read(range: ByteRange, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const { startBytes, endBytes } = range;
    if (startBytes < 0 || endBytes < startBytes || endBytes > this.sizeBytes) {
      throw new HoldfastError('invalid', 'files/FileContent.read', 'No such range in this file.');
    }
    let ahead: Promise<Buffer> | undefined;
    const buffers = readBuffers.take();
    let finished = false;
    try {
      let number = 0;
      for (const { block, offsetBytes, lengthBytes } of slicesOf(this.#blocks, range)) {
        const ready = ahead;
        const into = buffers[number++ % 2];
        const next = this.#store.read(block.id, offsetBytes, lengthBytes, signal, into);
        next.catch(() => undefined); // Reported where it is awaited, or no longer wanted.
        ahead = next;
        if (ready !== undefined) yield await ready;
      }
      if (ahead !== undefined) yield await ahead;
      finished = true;
    } finally {
      await ahead?.catch(() => undefined); // So that closing the store finds no read under way.
      // Who stopped in the middle may still have a piece on its way to somebody.
      if (finished) readBuffers.giveBack(buffers);
    }
  }
}

type BufferPair = readonly [Buffer, Buffer];

/** Pairs of buffers that no download is using: at most 8 MiB. */
class ReadBuffers {
  static readonly #PAIRS_MAX = 4;
  readonly #free: BufferPair[] = [];

  take(): BufferPair {
    const make = (): Buffer => Buffer.allocUnsafeSlow(READ_BYTES);
    return this.#free.pop() ?? [make(), make()];
  }

  giveBack(pair: BufferPair): void {
    if (this.#free.length < ReadBuffers.#PAIRS_MAX) this.#free.push(pair);
  }
}

const readBuffers = new ReadBuffers();

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
