/**
 * Memory for long reads around the system's cache: such reads want addresses that are multiples of
 * a page, and threads that check what was read want to see it without a copy. The memory of a
 * WebAssembly module is the only one in JavaScript that is both.
 *
 * A slab is room for what is carried over from the stretch before, and behind it the stretch that
 * was read. So a record that lies across the seam of two stretches is in one piece in the second.
 */
import type { ReadableVolume } from './volume-folder.ts';
import { PAYLOAD_BYTES_MAX, RECORD_HEADER_BYTES } from './volume-format.ts';

/** Reads around the cache begin and end on a multiple of this, in memory and in the file. */
export const PAGE_BYTES = 4096;
/** The longest record, in whole pages. */
export const CARRY_BYTES = pagesUp(PAYLOAD_BYTES_MAX + RECORD_HEADER_BYTES);
/** The longest stretch. */
export const STRETCH_BYTES_MAX = 8 * 1024 * 1024;
const WASM_PAGE_BYTES = 64 * 1024;

/** The part of the language's WebAssembly that is used here; its types come with browsers only. */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => {
    readonly buffer: SharedArrayBuffer;
  };
};

export interface Slab {
  /** For other threads. */
  readonly memory: SharedArrayBuffer;
  /** All of it; the stretch begins at CARRY_BYTES. */
  readonly bytes: Buffer;
}

const aligned = new WeakSet();

function makeSlab(): Slab {
  const pages = Math.ceil((CARRY_BYTES + STRETCH_BYTES_MAX) / WASM_PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer;
  aligned.add(memory);
  return { memory, bytes: Buffer.from(memory) };
}

/** True when `bytes` are whole pages of a slab. */
export function isPages(bytes: Uint8Array): boolean {
  return aligned.has(bytes.buffer) && bytes.byteOffset % PAGE_BYTES === 0
    && bytes.length % PAGE_BYTES === 0;
}

export function pagesUp(lengthBytes: number): number {
  return Math.ceil(lengthBytes / PAGE_BYTES) * PAGE_BYTES;
}

export function pagesDown(lengthBytes: number): number {
  return lengthBytes - (lengthBytes % PAGE_BYTES);
}

/** Slabs to use again. Whoever takes them sees to it that they are few. */
export class SlabShelf {
  readonly #keptMax: number;
  readonly #free: Slab[] = [];

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  /** Its contents are whatever was in it before. */
  take(): Slab {
    return this.#free.pop() ?? makeSlab();
  }

  giveBack(slab: Slab): void {
    if (this.#free.length < this.#keptMax) this.#free.push(slab);
  }

  /** At most STRETCH_BYTES_MAX from anywhere in a file, by way of whole pages, as a copy; fewer at
   *  the end of the file. */
  async readFrom(
    file: ReadableVolume, position: number, lengthBytes: number,
  ): Promise<Buffer> {
    const from = pagesDown(position);
    const slab = this.take();
    try {
      const length = pagesUp(position - from + lengthBytes);
      const filled = await file.read(slab.bytes.subarray(0, length), from);
      const end = Math.min(filled, position - from + lengthBytes);
      return Buffer.from(slab.bytes.subarray(Math.min(position - from, end), end));
    } finally {
      this.giveBack(slab);
    }
  }
}
