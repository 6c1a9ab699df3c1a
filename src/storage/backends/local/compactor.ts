/**
 * Empties a sealed volume: what is relied upon is copied to the volume that is being written, and
 * what is condemned is dropped.
 *
 * A copy goes through the same batches and syncs as any block. Nothing points to it until it was
 * read back, by a handle of its own, and hashed; then the index entry is changed if it still names
 * the old place. Whether a block is still condemned is looked up at the moment at which it is
 * dropped: an upload may have claimed it since. A block that cannot be read stops the compaction,
 * for what is skipped here would be lost with the volume.
 */
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { Block } from '../../block.ts';
import { isKeyFault } from '../../sealing/block-sealer.ts';
import type { Compaction, CompactOptions } from '../../volume-reclaim.ts';
import type { BlockIndex, BlockPlace } from './block-index.ts';
import { readBlock } from './block-reader.ts';
import type { OnFinding } from './findings.ts';
import { nextTurn } from './turn.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';
import type { VolumeReader } from './volume-reader.ts';
import {
  idOf, isRecordSound, readShredded, type VolumeRecord, type VolumeRecords,
} from './volume-records.ts';
import { volumeName } from './volume.ts';
import type { WriterLane } from './writer-lane.ts';

const OP = 'storage/VolumeReclaim.compact';
/** Of blocks that are copied and checked together. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const GROUP_RECORDS_MAX = 128;

export interface CompactorParts {
  files: VolumeFiles;
  reader: VolumeReader;
  index: BlockIndex;
  lane: Pick<WriterLane, 'copy'>;
  onFinding: OnFinding;
}

export class Compactor {
  readonly #parts: CompactorParts;
  readonly #records: VolumeRecords;
  readonly #result: Compaction;

  constructor(parts: CompactorParts, records: VolumeRecords, sizeBytes: number) {
    this.#parts = parts;
    this.#records = records;
    this.#result = {
      volumeId: records.volumeId, sizeBytes, recordCount: records.count,
      movedCount: 0, movedBytes: 0, elsewhereCount: 0, droppedCount: 0, droppedBytes: 0,
    };
  }

  async run({ signal, pace }: CompactOptions): Promise<Compaction> {
    let group: VolumeRecord[] = [];
    let groupBytes = 0;
    const settleGroup = async (): Promise<void> => {
      signal?.throwIfAborted();
      await pace?.(groupBytes);
      await this.#settle(group);
      group = [];
      groupBytes = 0;
      await nextTurn();
    };
    for (const number of await this.#records.inOrder()) {
      const record = this.#records.at(number);
      const { sizeBytes } = record.place;
      const isFull = groupBytes + sizeBytes > GROUP_BYTES_MAX || group.length >= GROUP_RECORDS_MAX;
      if (isFull) await settleGroup();
      group.push(record);
      groupBytes += sizeBytes;
    }
    await settleGroup();
    return this.#result;
  }

  async #settle(group: readonly VolumeRecord[]): Promise<void> {
    const wanted: Move[] = [];
    const others: Found[] = [];
    for (const record of group) {
      const { index } = this.#parts;
      const current = index.find(record.ids, record.at);
      if (current === undefined) this.#result.elsewhereCount++;
      else if (!isSame(current, record.place)) others.push({ record, place: current });
      else if (index.drop(record.ids, record.at, record.place)) this.#countDropped(record.place);
      else wanted.push({ record, from: record.place });
    }
    const badOthers = await this.#unsound(others);
    this.#result.elsewhereCount += others.length - badOthers.length;
    for (const { record, place } of badOthers) wanted.push({ record, from: place });
    const copies = await Promise.all(wanted.map((move) => this.#copy(move)));
    const [bad] = await this.#unsound(copies);
    if (bad !== undefined) throw this.#badCopy(bad.place);
    copies.forEach(({ record, place }, at) => {
      const { from } = wanted[at] as Move;
      this.#parts.index.move(record.ids, record.at, { from, to: place });
      this.#result.movedCount++;
      this.#result.movedBytes += place.sizeBytes;
    });
  }

  #countDropped({ sizeBytes }: BlockPlace): void {
    this.#result.droppedCount++;
    this.#result.droppedBytes += sizeBytes;
  }

  async #copy({ record }: Move): Promise<Found> {
    const { reader, onFinding, lane } = this.#parts;
    const { place } = record;
    const id = idOf(record);
    try {
      const bytes = await readBlock(reader, onFinding, { id, place });
      return { record, place: await lane.copy(Block.hashed(id, [bytes], bytes.length)) };
    } catch (error) {
      if (!isKeyFault(error) || error.code !== 'shredded') throw error;
      return { record, place: await this.#copyShredded(id, place, error) };
    }
  }

  /** Nobody can read it any more, and it goes on to say so. */
  async #copyShredded(id: BlockId, place: BlockPlace, cause: unknown): Promise<BlockPlace> {
    const { reader, lane } = this.#parts;
    const packed = await reader.with(place.volumeId, (file) => readShredded(file, place, id));
    if (packed === undefined) throw cause;
    return lane.copy(Block.hashed(id, [], place.sizeBytes), packed);
  }

  /** Those whose record at that place is not the block, read by handles of their own. */
  async #unsound(found: readonly Found[]): Promise<Found[]> {
    const bad: Found[] = [];
    const files = new Map<number, VolumeFile>();
    try {
      for (const one of found) {
        const { volumeId } = one.place;
        let file = files.get(volumeId);
        if (file === undefined) {
          file = await this.#parts.files.open(volumeName(volumeId), 'read');
          files.set(volumeId, file);
        }
        const { sealing } = this.#parts.reader;
        const isSound = await isRecordSound({ file, sealing }, one.place, idOf(one.record));
        if (!isSound) bad.push(one);
      }
    } finally {
      for (const file of files.values()) await file.close();
    }
    return bad;
  }

  #badCopy({ volumeId, offset, sizeBytes }: BlockPlace): HoldfastError {
    this.#parts.onFinding({ kind: 'damaged-block', volumeId, offset, lengthBytes: sizeBytes });
    const message = 'A copy that was just written reads back wrong. The disk has to be looked at.';
    return new HoldfastError('corrupt', OP, message, { facts: { volumeId, offset } });
  }
}

interface Move {
  record: VolumeRecord;
  /** What the index says now. */
  from: BlockPlace;
}

interface Found {
  record: VolumeRecord;
  place: BlockPlace;
}

function isSame(one: BlockPlace, other: BlockPlace): boolean {
  return one.volumeId === other.volumeId && one.offset === other.offset;
}
