/**
 * The bytes of the files that the load client writes, and the check of those it reads.
 *
 * A server that recognises equal blocks would store repeated content for nothing, so every file
 * differs: fixed random bytes, with a stamp of (salt, file, unit) at the head of each 64 KiB. The
 * content follows from the numbers alone; nothing has to be kept to check it later.
 */
import { createCipheriv } from 'node:crypto';

export const UNIT_BYTES = 64 * 1024;
export const POOL_BYTES = 4 * 1024 * 1024;
const STAMP_BYTES = 12;

/** Incompressible, and the same in every process: the key stream of an all-zero key. */
export const POOL: Buffer = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16))
  .update(Buffer.alloc(POOL_BYTES));

export interface FileName {
  /** Separates runs, so that no content of one run is known to a server from an earlier run. */
  readonly salt: number;
  readonly index: number;
}

const scratch = Buffer.alloc(STAMP_BYTES);

/** The stamp of a unit, cut to the size of a file smaller than the stamp. */
function writeStamp(target: Buffer, at: number, file: FileName, unit: number): void {
  scratch.writeUInt32LE(file.salt >>> 0, 0);
  scratch.writeUInt32LE(file.index >>> 0, 4);
  scratch.writeUInt32LE(unit >>> 0, 8);
  scratch.copy(target, at, 0, Math.min(STAMP_BYTES, target.length - at));
}

/** Fills the buffer with the fixed bytes; `stampContent` makes them a file's own. */
export function fillContent(target: Buffer): void {
  for (let at = 0; at < target.length; at += POOL_BYTES) POOL.copy(target, at);
}

/** Stamps a buffer that `fillContent` filled as the bytes of `file` from `firstUnit` on. */
export function stampContent(target: Buffer, file: FileName, firstUnit = 0): void {
  for (let at = 0; at < target.length; at += UNIT_BYTES) {
    writeStamp(target, at, file, firstUnit + at / UNIT_BYTES);
  }
}

/** Compares the pieces of one body, in order, with what `file` must hold. */
export class ContentCheck {
  isRight = true;
  readonly #file: FileName;
  /** 1 checks every unit, 16 every sixteenth. */
  readonly #everyUnit: number;
  readonly #unit = Buffer.alloc(UNIT_BYTES);
  #unitMade = -1;
  #offset = 0;

  constructor(file: FileName, everyUnit = 1) {
    this.#file = file;
    this.#everyUnit = everyUnit;
  }

  push(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const unit = Math.floor(this.#offset / UNIT_BYTES);
      const from = this.#offset % UNIT_BYTES;
      const count = Math.min(UNIT_BYTES - from, piece.length - at);
      if (unit % this.#everyUnit === 0) {
        this.#make(unit);
        const order = piece.compare(this.#unit, from, from + count, at, at + count);
        if (order !== 0) this.isRight = false;
      }
      at += count;
      this.#offset += count;
    }
  }

  #make(unit: number): void {
    if (this.#unitMade === unit) return;
    POOL.copy(this.#unit, 0, (unit * UNIT_BYTES) % POOL_BYTES);
    writeStamp(this.#unit, 0, this.#file, unit);
    this.#unitMade = unit;
  }
}
