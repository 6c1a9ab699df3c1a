/**
 * Frames: how messages travel between coordinator and filer. docs/formats/filer-protocol.md.
 *
 * A header of 48 bytes, the fields, the data. The header has its own checksum, so that a length is
 * believed only when it was meant; fields and data have another, which the receiver computes before
 * anything is done with them.
 */
import { crc32 } from '../backends/local/checksum.ts';
import { badFrame } from './frame-fault.ts';
import type { FrameSeal } from './frame-seal.ts';

export const FRAME_HEADER_BYTES = 48;
const TAG_AT = 32;
const CRC_AT = 28;
const FRAME_MAGIC = 0x3146_4648; // `HFF1` on the wire.
const FRAME_VERSION = 1;
/** Below this the pieces of a message are copied together: many small ones cost more each. */
const JOIN_BYTES_MAX = 256 * 1024;
const SMALL_PIECE_BYTES = 16 * 1024;

export interface Frame {
  readonly type: number;
  /** Of the request; its answer carries the same. */
  readonly id: number;
  readonly fields: Buffer;
  readonly data: Buffer;
}

export interface FrameParts {
  readonly type: number;
  readonly id: number;
  readonly fields: Uint8Array;
  readonly data?: readonly Uint8Array[];
}

/** What goes to the socket, in order. `seal` is missing only before keys are agreed. */
export function encodeFrame(parts: FrameParts, seal: FrameSeal | undefined): Uint8Array[] {
  const { type, id, fields } = parts;
  const data = joinedPieces(parts.data ?? []);
  let dataBytes = 0;
  let payloadCrc = crc32(fields);
  for (const piece of data) {
    dataBytes += piece.length;
    payloadCrc = crc32(piece, payloadCrc);
  }
  const head = Buffer.alloc(FRAME_HEADER_BYTES + fields.length);
  head.writeUInt32LE(FRAME_MAGIC, 0);
  head[4] = FRAME_VERSION;
  head[5] = type;
  head.writeUInt32LE(id, 8);
  head.writeUInt32LE(fields.length, 12);
  head.writeUInt32LE(dataBytes, 16);
  head.writeUInt32LE(payloadCrc, 20);
  head.writeUInt32LE(crc32(head.subarray(0, CRC_AT)), CRC_AT);
  head.set(fields, FRAME_HEADER_BYTES);
  seal?.tag([head.subarray(0, TAG_AT), fields, ...data]).copy(head, TAG_AT);
  return dataBytes === 0 ? [head] : [head, ...data];
}

/** The same bytes in fewer pieces: all in one when they are few, else runs of small ones joined. */
function joinedPieces(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (pieces.length < 2) return pieces;
  const total = pieces.reduce((sum, { length }) => sum + length, 0);
  if (total <= JOIN_BYTES_MAX) return [Buffer.concat(pieces)];
  const joined: Uint8Array[] = [];
  let run: Uint8Array[] = [];
  const endRun = (): void => {
    if (run.length > 0) joined.push(run.length === 1 ? (run[0] as Uint8Array) : Buffer.concat(run));
    run = [];
  };
  for (const piece of pieces) {
    if (piece.length < SMALL_PIECE_BYTES) {
      run.push(piece);
      continue;
    }
    endRun();
    joined.push(piece);
  }
  endRun();
  return joined;
}

export interface FrameLimits {
  fieldsBytesMax: number;
  dataBytesMax: number;
}

/**
 * Cuts a stream of bytes into frames. Memory: at most one frame within the limits, and only once
 * its header has proved sound. After it has thrown, it must not be used again.
 */
export class FrameDecoder {
  limits: FrameLimits;
  /** Set when keys are agreed: from then on every frame must carry a right tag. */
  seal: FrameSeal | undefined;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;

  constructor(limits: FrameLimits) {
    this.limits = limits;
  }

  /** True in the middle of a frame. */
  get isPartial(): boolean {
    return this.#headerFilled > 0;
  }

  /** Calls `onFrame` for each frame that `chunk` completes. @throws invalid: not our bytes. */
  push(chunk: Buffer, onFrame: (frame: Frame) => void): void {
    let at = 0;
    while (at < chunk.length) {
      at += this.#fillHeader(chunk, at);
      if (this.#headerFilled < FRAME_HEADER_BYTES) return;
      const length = this.#payloadBytes();
      const rest = chunk.length - at;
      if (this.#payload === undefined && rest >= length) {
        // All of it is here: a view will do.
        this.#complete(chunk.subarray(at, at + length), onFrame);
        at += length;
        continue;
      }
      this.#payload ??= Buffer.allocUnsafeSlow(length);
      const taken = chunk.copy(this.#payload, this.#payloadFilled, at);
      this.#payloadFilled += taken;
      at += taken;
      if (this.#payloadFilled === length) this.#complete(this.#payload, onFrame);
    }
  }

  #fillHeader(chunk: Buffer, at: number): number {
    if (this.#headerFilled === FRAME_HEADER_BYTES) return 0;
    const taken = chunk.copy(this.#header, this.#headerFilled, at);
    this.#headerFilled += taken;
    if (this.#headerFilled === FRAME_HEADER_BYTES) this.#checkHeader();
    return taken;
  }

  #payloadBytes(): number {
    return this.#header.readUInt32LE(12) + this.#header.readUInt32LE(16);
  }

  #checkHeader(): void {
    const header = this.#header;
    if (header.readUInt32LE(0) !== FRAME_MAGIC) throw badFrame('no frame');
    if (crc32(header.subarray(0, CRC_AT)) !== header.readUInt32LE(CRC_AT)) {
      throw badFrame('a damaged frame header');
    }
    if (header[4] !== FRAME_VERSION) throw badFrame('a frame of another version');
    if (header.readUInt32LE(12) > this.limits.fieldsBytesMax) throw badFrame('an oversize frame');
    if (header.readUInt32LE(16) > this.limits.dataBytesMax) throw badFrame('an oversize frame');
  }

  #complete(payload: Buffer, onFrame: (frame: Frame) => void): void {
    const header = this.#header;
    const fieldsBytes = header.readUInt32LE(12);
    if (crc32(payload) !== header.readUInt32LE(20)) throw badFrame('a damaged frame');
    const tag = header.subarray(TAG_AT);
    if (this.seal?.check([header.subarray(0, TAG_AT), payload], tag) === false) {
      throw badFrame('a frame that was not sealed with the session key');
    }
    this.#headerFilled = 0;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    onFrame({
      type: header[5] as number,
      id: header.readUInt32LE(8),
      fields: payload.subarray(0, fieldsBytes),
      data: payload.subarray(fieldsBytes),
    });
  }
}
