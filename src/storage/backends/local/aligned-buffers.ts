/**
 * Buffers whose address is a multiple of a page, as the system wants them for writes that go around
 * its cache. JavaScript says nothing about the address of a buffer, with one exception: the memory
 * of a WebAssembly module begins on a page.
 */

/** Writes around the cache begin and end on a multiple of this, in memory and in the file. */
export const PAGE_BYTES = 4096;
/** Four times as much is faster by a twentieth. */
export const STAGE_BYTES = 1024 * 1024;
/** Kept for all files together, in use or not. */
const STAGES_MAX = 6;
const WASM_PAGE_BYTES = 64 * 1024;

/** The part of the language's WebAssembly that is used here; its types come with browsers only. */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number }) => { readonly buffer: ArrayBuffer };
};

export interface Stage {
  readonly bytes: Buffer;
}

/** Bounded; whoever finds none waits for one that is given back, first come, first served. */
export class AlignedBuffers {
  readonly #max: number;
  readonly #free: Stage[] = [];
  readonly #waiting: ((stage: Stage) => void)[] = [];
  #made = 0;

  constructor(max: number = STAGES_MAX) {
    this.#max = max;
  }

  /** The contents are whatever was in it before. Must be given back. */
  take(): Promise<Stage> {
    const free = this.#free.pop();
    if (free !== undefined) return Promise.resolve(free);
    if (this.#made < this.#max) {
      this.#made++;
      const memory = new WebAssembly.Memory({ initial: STAGE_BYTES / WASM_PAGE_BYTES });
      return Promise.resolve({ bytes: Buffer.from(memory.buffer) });
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  giveBack(stage: Stage): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free.push(stage);
    else next(stage);
  }
}
