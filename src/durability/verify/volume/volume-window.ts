/** A part of a volume in memory that moves on with whoever reads through it. */
import type { Budget } from '../budget.ts';
import type { ReadableVolume } from './volume-folder.ts';
import { PAYLOAD_BYTES_MAX, RECORD_HEADER_BYTES } from './volume-format.ts';

/** What is read with one call: short enough for a slice of work beside users. */
export const PIECE_BYTES = 1024 * 1024;
/** The longest record and a piece. */
const WINDOW_BYTES = PAYLOAD_BYTES_MAX + RECORD_HEADER_BYTES + PIECE_BYTES;

/** What a walk sees of a file. */
export interface RecordWindow {
  /** Other memory after each `at`. */
  readonly bytes: Buffer;
  /** Where in `bytes` the position lies, with `lengthBytes` of the file from there on, at most as
   *  many as the longest record has; -1 when the file does not hold so many. */
  at(position: number, lengthBytes: number): Promise<number>;
  /** The next place from `position` on, in steps of 8, where `word` stands; -1 for none. */
  find(word: Buffer, position: number): Promise<number>;
}

export interface Pace {
  /** Asked for each byte read; undefined when what is read here is paid for otherwise. */
  budget: Budget | undefined;
  signal: AbortSignal;
}

/** For looks here and there: reads short pieces, when they are needed. */
export class VolumeWindow implements RecordWindow {
  readonly #file: ReadableVolume;
  readonly #sizeBytes: number;
  readonly #pace: Pace;
  readonly #pieceBytes: number;
  /** Replaced by a longer one when a record needs it: take it anew after each `at`. */
  bytes: Buffer;
  #start = 0;
  #end = 0;
  /** Bytes read from the disk so far. */
  readBytes = 0;

  constructor(
    file: ReadableVolume, sizeBytes: number, pace: Pace, pieceBytes: number = PIECE_BYTES,
  ) {
    this.#file = file;
    this.#sizeBytes = sizeBytes;
    this.#pace = pace;
    this.#pieceBytes = pieceBytes;
    this.bytes = Buffer.allocUnsafe(Math.min(2 * pieceBytes, Math.max(sizeBytes, 8)));
  }

  async at(position: number, lengthBytes: number): Promise<number> {
    const end = position + lengthBytes;
    if (position >= this.#start && end <= this.#end) return position - this.#start;
    if (end > this.#sizeBytes) return -1;
    this.#keepFrom(position);
    if (lengthBytes > this.bytes.length) this.#grow();
    while (this.#end < end) {
      if (!(await this.#readMore())) return -1;
    }
    return position - this.#start;
  }

  find(word: Buffer, position: number): Promise<number> {
    const [sizeBytes, pieceBytes] = [this.#sizeBytes, this.#pieceBytes];
    return findWord(this, { word, position, sizeBytes, pieceBytes });
  }

  /** Big blocks are rare enough where they are read seldom, and common where they are not. */
  #grow(): void {
    const grown = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, this.#sizeBytes));
    this.bytes.copy(grown, 0, 0, this.#end - this.#start);
    this.bytes = grown;
  }

  #keepFrom(position: number): void {
    if (position >= this.#start && position < this.#end) {
      this.bytes.copyWithin(0, position - this.#start, this.#end - this.#start);
      this.#start = position;
      return;
    }
    this.#start = position;
    this.#end = position;
  }

  async #readMore(): Promise<boolean> {
    const room = this.bytes.length - (this.#end - this.#start);
    const lengthBytes = Math.min(room, this.#sizeBytes - this.#end, this.#pieceBytes);
    if (lengthBytes <= 0) return false;
    this.#pace.signal.throwIfAborted();
    await this.#pace.budget?.take(lengthBytes, this.#pace.signal);
    const from = this.#end - this.#start;
    const filled = await this.#file.read(
      this.bytes.subarray(from, from + lengthBytes), this.#end,
    );
    this.readBytes += filled;
    this.#end += filled;
    return filled > 0;
  }
}

/** As RecordWindow.find, by way of `at`. */
export async function findWord(
  window: RecordWindow,
  { word, position, sizeBytes, pieceBytes }: {
    word: Buffer; position: number; sizeBytes: number; pieceBytes: number;
  },
): Promise<number> {
  for (let from = position; ;) {
    const lengthBytes = Math.min(pieceBytes, sizeBytes - from);
    if (lengthBytes < word.length) return -1;
    const at = await window.at(from, lengthBytes);
    if (at < 0) return -1;
    const within = window.bytes.subarray(at, at + lengthBytes);
    for (let hit = within.indexOf(word); hit >= 0; hit = within.indexOf(word, hit + 1)) {
      if ((from + hit) % 8 === 0) return from + hit;
    }
    if (from + lengthBytes >= sizeBytes) return -1;
    from += lengthBytes; // Still a multiple of 8, so no hit lies across the seam.
  }
}
