/** What a sealed volume holds, read from its footer, and single records read by fresh handles. */
import { hash } from 'node:crypto';
import type { BlockId } from '../../../base/ids.ts';
import { isKeyFault, type BlockSealer } from '../../sealing/block-sealer.ts';
import type { PackedBlock } from '../../sealing/packed-block.ts';
import type { BlockPlace } from './block-index.ts';
import { readFooter, type Trailer } from './footer-codec.ts';
import { asPacked, readPackedRecord, unpackRecord } from './packed-record.ts';
import { isSound, tableBytes } from './payload.ts';
import {
  HEADER_BYTES, isPackedBlock, isPlainBlock, isRecordHeader, readBlockHeader,
} from './record-codec.ts';
import { nextTurn } from './turn.ts';
import { ENTRY_BYTES, readPlace } from './volume-entries.ts';
import type { VolumeFile } from './volume-files.ts';

/** Sorting is cut into as many stretches, so that users' requests come in between. */
const STRETCHES = 64;

/** The entries of a sealed volume. At most a million of 48 bytes: see VolumeConfig. */
export class VolumeRecords {
  readonly volumeId: number;
  readonly #body: Buffer;
  readonly #dataEnd: number;

  private constructor(trailer: Trailer, body: Buffer) {
    this.volumeId = trailer.volumeId;
    this.#dataEnd = trailer.dataEnd;
    this.#body = body;
  }

  /** Undefined when the footer is damaged. */
  static async load(
    file: Pick<VolumeFile, 'read'>, trailer: Trailer,
  ): Promise<VolumeRecords | undefined> {
    const body = Buffer.allocUnsafeSlow(trailer.entryCount * ENTRY_BYTES);
    const sound = await readFooter(file, trailer, (bytes, at) => {
      bytes.copy(body, at, at, at + ENTRY_BYTES);
    });
    return sound ? new VolumeRecords(trailer, body) : undefined;
  }

  get count(): number {
    return this.#body.length / ENTRY_BYTES;
  }

  /** By id. The 32 bytes of the id stand at `at` of `ids`. */
  at(number: number): VolumeRecord {
    const at = number * ENTRY_BYTES;
    const place = { volumeId: this.volumeId, ...readPlace(this.#body, at) };
    return { ids: this.#body, at, place };
  }

  /** Numbers of the records in the order in which they lie, for reading from front to back. */
  async inOrder(): Promise<Uint32Array> {
    const width = Math.max(8, Math.ceil(this.#dataEnd / STRETCHES));
    const stretches: number[][] = Array.from({ length: STRETCHES }, () => []);
    const offsets = new Float64Array(this.count);
    for (let number = 0; number < this.count; number++) {
      const { offset } = readPlace(this.#body, number * ENTRY_BYTES);
      offsets[number] = offset;
      stretches[Math.min(STRETCHES - 1, Math.floor(offset / width))]?.push(number);
    }
    const order = new Uint32Array(this.count);
    let filled = 0;
    for (const stretch of stretches) {
      stretch.sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
      order.set(stretch, filled);
      filled += stretch.length;
      await nextTurn();
    }
    return order;
  }
}

/** A volume's file, opened by the asker, and what unpacks its blocks. */
export interface RecordReader {
  readonly file: VolumeFile;
  readonly sealing: BlockSealer;
}

export interface VolumeRecord {
  ids: Buffer;
  at: number;
  place: BlockPlace;
}

export function idOf({ ids, at }: { ids: Buffer; at: number }): BlockId {
  return ids.toString('hex', at, at + 32) as BlockId;
}

/** A file to read records from, and what undoes the packing of packed ones. */
export interface RecordFile {
  file: Pick<VolumeFile, 'read'>;
  sealing: BlockSealer;
}

/** The block's bytes, checked against checksum and id; undefined when they are not that block.
 *  @throws what `BlockSealer.unpack` throws. */
export async function readRecord(
  { file, sealing }: RecordFile, place: Omit<BlockPlace, 'volumeId'>, id: BlockId,
): Promise<Buffer | undefined> {
  const { offset, sizeBytes } = place;
  const table = tableBytes(sizeBytes);
  const record = Buffer.allocUnsafeSlow(HEADER_BYTES + table + sizeBytes);
  const filled = await file.read(record, offset);
  if (filled < HEADER_BYTES || !isRecordHeader(record, 0)) return undefined;
  if (isPackedBlock(record, 0)) {
    const source = { sealing, read: file.read.bind(file) };
    const bytes = await unpackRecord(source, place, id);
    return bytes !== undefined && hash('sha256', bytes) === id ? bytes : undefined;
  }
  if (filled !== record.length || !isPlainBlock(record, 0)) return undefined;
  const { payloadCrc, sizeBytes: storedBytes } = readBlockHeader(record, 0);
  if (storedBytes !== sizeBytes || record.toString('hex', 16, 48) !== id) return undefined;
  if (!isSound(record.subarray(HEADER_BYTES), sizeBytes, payloadCrc)) return undefined;
  const bytes = record.subarray(HEADER_BYTES + table);
  return hash('sha256', bytes) === id ? bytes : undefined;
}

/** Is it that block? One whose key was destroyed on purpose can be read by nobody: then its
 *  checksum has to be enough. */
export async function isRecordSound(
  from: RecordFile, place: Omit<BlockPlace, 'volumeId'>, id: BlockId,
): Promise<boolean> {
  try {
    return (await readRecord(from, place, id)) !== undefined;
  } catch (error) {
    if (!isKeyFault(error) || error.code !== 'shredded') throw error;
    return (await readShredded(from.file, place, id)) !== undefined;
  }
}

/** A packed block as it lies there, to be written elsewhere as it is. */
export async function readShredded(
  file: Pick<VolumeFile, 'read'>, place: Omit<BlockPlace, 'volumeId'>, id: BlockId,
): Promise<PackedBlock | undefined> {
  const record = await readPackedRecord({ read: file.read.bind(file) }, place, id);
  return record === undefined ? undefined : asPacked(record);
}
