import type { Block } from '../../block.ts';
import type { PackedBlock } from '../../sealing/packed-block.ts';
import type { VolumePosition } from './hint-file.ts';
import { tableBytes, writeTable } from './payload.ts';
import {
  countCrc, HEADER_BYTES, paddedBytes, recordBytes, storedRecordBytes, sumHeader, writeBlockHeader,
  writeCommit,
} from './record-codec.ts';

/** Below this, copying a block costs less than handing its pieces to the system one by one. */
const COPY_BYTES_MAX = 16 * 1024;
const ZEROS = Buffer.alloc(8);

/** A block on its way to the disk. */
export interface BatchItem {
  readonly block: Block;
  /** What is written in the place of the block's bytes, if it is compressed or encrypted. */
  packed?: PackedBlock | undefined;
  /** Set by the encoder: where the record header will lie in the volume… */
  offset: number;
  /** …and where it lies in the encoder's `headers`. */
  headerAt: number;
}

/** What an item takes in a volume. */
export function itemBytes({ block, packed }: BatchItem): number {
  return packed === undefined ? recordBytes(block.sizeBytes) : storedRecordBytes(packed);
}

export interface EncodedBatch {
  pieces: Uint8Array[];
  lengthBytes: number;
  /** Where the volume stands once the batch is durable. */
  position: VolumePosition;
}

/**
 * Lays out a batch: records, then the commit record. Headers, tables and small blocks are gathered
 * in one buffer that is used again for the next batch; big blocks are written from where they are.
 */
export class BatchEncoder {
  #gathered = Buffer.allocUnsafeSlow(64 * 1024);

  /** The record headers of the last batch; see `BatchItem.headerAt`. */
  get headers(): Buffer {
    return this.#gathered;
  }

  encode(
    items: readonly BatchItem[],
    at: VolumePosition,
    { seed, writtenMs }: { seed: Buffer; writtenMs: number },
  ): EncodedBatch {
    this.#makeRoom(items);
    const gathered = this.#gathered;
    const pieces: Uint8Array[] = [];
    let used = 0;
    let taken = 0;
    let lengthBytes = 0;
    let headersSum = 0;
    for (const item of items) {
      const { block, packed } = item;
      const { sizeBytes } = block;
      const payloadCrc = packed?.payloadCrc ?? writeTable(gathered, used + HEADER_BYTES, block);
      // What is packed has no table.
      const table = packed === undefined ? tableBytes(sizeBytes) : 0;
      const bodyBytes = packed?.payloadBytes ?? sizeBytes;
      const body = packed?.pieces ?? block.pieces;
      item.offset = at.end + lengthBytes;
      item.headerAt = used;
      const header = { sizeBytes, payloadCrc, batch: at.nextBatch, packed };
      writeBlockHeader(gathered, used, block.id, header);
      headersSum = sumHeader(gathered, used, headersSum);
      used += HEADER_BYTES + table;
      const padding = paddedBytes(bodyBytes) - bodyBytes;
      if (bodyBytes <= COPY_BYTES_MAX) {
        used = copyInto(gathered, used, body);
        gathered.fill(0, used, used + padding);
        used += padding;
      } else {
        pieces.push(gathered.subarray(taken, used), ...body, ZEROS.subarray(0, padding));
        taken = used;
      }
      lengthBytes += itemBytes(item);
    }
    const commit = {
      batch: at.nextBatch, batchStart: at.end, batchBytes: lengthBytes,
      recordCount: items.length, headersCrc: countCrc(items.length), headersSum, writtenMs,
      previousChain: at.chain,
    };
    const chain = writeCommit(gathered, used, seed, commit);
    pieces.push(gathered.subarray(taken, used + HEADER_BYTES));
    lengthBytes += HEADER_BYTES;
    const position = { end: at.end + lengthBytes, nextBatch: at.nextBatch + 1, chain };
    return { pieces, lengthBytes, position };
  }

  #makeRoom(items: readonly BatchItem[]): void {
    let wanted = HEADER_BYTES;
    for (const item of items) {
      const { sizeBytes } = item.block;
      const small = (item.packed?.payloadBytes ?? sizeBytes) <= COPY_BYTES_MAX;
      wanted += small ? itemBytes(item) : HEADER_BYTES + tableBytes(sizeBytes);
    }
    if (wanted <= this.#gathered.length) return;
    this.#gathered = Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(wanted)));
  }
}

function copyInto(into: Buffer, at: number, pieces: readonly Uint8Array[]): number {
  let end = at;
  for (const piece of pieces) {
    into.set(piece, end);
    end += piece.length;
  }
  return end;
}
