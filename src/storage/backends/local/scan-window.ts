import { HEADER_BYTES } from './record-codec.ts';
import type { VolumeFile } from './volume-files.ts';

/** Reads a file from front to back in big steps; at most this much of it is in memory. */
const WINDOW_BYTES = 8 * 1024 * 1024;

export class ScanWindow {
  readonly sizeBytes: number;
  readonly #file: VolumeFile;
  readonly #buffer: Buffer;
  #start = 0;
  #filled = 0;

  constructor(file: VolumeFile, sizeBytes: number) {
    this.#file = file;
    this.sizeBytes = sizeBytes;
    this.#buffer = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, Math.max(64, sizeBytes)));
  }

  /** What the offsets of `offsetOf` are offsets into. It changes with `load`. */
  get bytes(): Buffer {
    return this.#buffer;
  }

  /** Where the bytes of a position lie in `bytes`, or -1 when they are not all there. */
  offsetOf(position: number, lengthBytes: number): number {
    const offset = position - this.#start;
    return offset >= 0 && offset + lengthBytes <= this.#filled ? offset : -1;
  }

  /** Fills the window from `position` on; returns what `offsetOf` then says. */
  async load(position: number, lengthBytes: number): Promise<number> {
    this.#start = position;
    this.#filled = 0;
    if (position < this.sizeBytes) {
      const wanted = Math.min(this.#buffer.length, this.sizeBytes - position);
      this.#filled = await this.#file.read(this.#buffer.subarray(0, wanted), position);
    }
    return this.offsetOf(position, lengthBytes);
  }

  /** The first position from `from` on, a multiple of 8 and with a header's length of bytes behind
   *  it, at which `needle` stands; -1 when there is none before `end`. */
  async findAligned(needle: Buffer, from: number, end: number): Promise<number> {
    for (let position = from; position + HEADER_BYTES <= Math.min(end, this.sizeBytes); ) {
      let at = this.offsetOf(position, HEADER_BYTES);
      if (at < 0) at = await this.load(position, HEADER_BYTES);
      if (at < 0) return -1;
      const hit = this.#buffer.subarray(0, this.#filled).indexOf(needle, at);
      if (hit < 0) {
        // The window ends at a multiple of 8 unless the file ends there.
        position = aligned(this.#start + this.#filled);
      } else if ((this.#start + hit) % 8 === 0) {
        if (this.#start + hit + HEADER_BYTES <= this.#start + this.#filled) {
          return this.#start + hit < end ? this.#start + hit : -1;
        }
        position = this.#start + hit;
      } else {
        position = aligned(this.#start + hit);
      }
    }
    return -1;
  }
}

/** The next multiple of 8. */
function aligned(position: number): number {
  return position + (8 - (position % 8)) % 8;
}
