/**
 * Looks whether volumes in the trash may go. Each of their records must be justified: the store has
 * another record of the block, which is read and hashed now, or nothing refers to the block.
 *
 * What is not elsewhere is gathered in a table first; then whoever knows what is referred to tells
 * all of it. A block that is needed and only here is put into the store again at once.
 */
import { HoldfastError } from '../../../base/errors.ts';
import type { BlockId } from '../../../base/ids.ts';
import { Block } from '../../block.ts';
import { isKeyFault } from '../../sealing/block-sealer.ts';
import {
  INSPECTED_BLOCKS_MAX, type InspectedVolume, type TrashInspection,
} from '../../volume-reclaim.ts';
import { BlockIndex, type BlockPlace } from './block-index.ts';
import { openSealed } from './sealed-volume.ts';
import { nextTurn } from './turn.ts';
import { trashName, volumeName } from './volume.ts';
import type { VolumeFile, VolumeFiles } from './volume-files.ts';
import { idOf, isRecordSound, readRecord, readShredded } from './volume-records.ts';
import type { VolumeReader } from './volume-reader.ts';
import type { WriterLane } from './writer-lane.ts';

export interface InspectionParts {
  files: VolumeFiles;
  index: BlockIndex;
  lane: Pick<WriterLane, 'copy'>;
  reader: Pick<VolumeReader, 'sealing'>;
}

/** @throws not-found, corrupt, too-large. */
export async function inspectTrash(
  parts: InspectionParts, volumeIds: readonly number[], signal: AbortSignal | undefined,
): Promise<TrashInspection> {
  const inspection = new Inspection(parts);
  for (const volumeId of volumeIds) {
    signal?.throwIfAborted();
    await inspection.add(volumeId, signal);
  }
  return inspection;
}

class Inspection implements TrashInspection {
  readonly #parts: InspectionParts;
  readonly #results = new Map<number, InspectedVolume>();
  /** Blocks of which the store has no other sound record, and where in the trash they are. */
  readonly #onlyHere = new BlockIndex();
  readonly #needed = new Set<BlockId>();
  readonly #key = Buffer.alloc(32);

  constructor(parts: InspectionParts) {
    this.#parts = parts;
  }

  async add(volumeId: number, signal: AbortSignal | undefined): Promise<void> {
    const { files, index } = this.#parts;
    const { records } = await openSealed(files, trashName(volumeId), volumeId);
    if (this.#onlyHere.count + records.count > INSPECTED_BLOCKS_MAX) throw tooMany();
    const result: InspectedVolume = {
      volumeId, recordCount: records.count, elsewhereCount: 0, deadCount: 0, rescuedCount: 0,
    };
    this.#results.set(volumeId, result);
    const opened = new Map<number, VolumeFile>();
    try {
      for (let number = 0; number < records.count; number++) {
        const { ids, at, place } = records.at(number);
        const other = index.find(ids, at);
        const sound = other !== undefined && await this.#isSound(opened, other, idOf({ ids, at }));
        if (sound) result.elsewhereCount++;
        else this.#onlyHere.set(ids, at, place);
        if (number % 64 === 0) {
          signal?.throwIfAborted();
          await nextTurn();
        }
      }
    } finally {
      for (const file of opened.values()) await file.close();
    }
    result.deadCount = records.count - result.elsewhereCount;
  }

  need(ids: readonly BlockId[]): void {
    for (const id of ids) {
      this.#key.write(id, 0, 32, 'hex');
      if (this.#onlyHere.has(this.#key, 0)) this.#needed.add(id);
    }
  }

  async finish(): Promise<InspectedVolume[]> {
    for (const id of this.#needed) {
      this.#key.write(id, 0, 32, 'hex');
      const place = this.#onlyHere.find(this.#key, 0);
      const result = place === undefined ? undefined : this.#results.get(place.volumeId);
      if (place === undefined || result === undefined) continue;
      await this.#rescue(id, place);
      result.deadCount--;
      result.rescuedCount++;
    }
    return [...this.#results.values()];
  }

  /** Read by a handle of its own. A volume that has left meanwhile has no record to rely on. */
  async #isSound(
    opened: Map<number, VolumeFile>, place: BlockPlace, id: BlockId,
  ): Promise<boolean> {
    let file = opened.get(place.volumeId);
    if (file === undefined) {
      file = await this.#parts.files.open(volumeName(place.volumeId), 'read');
      opened.set(place.volumeId, file);
    }
    return isRecordSound({ file, sealing: this.#parts.reader.sealing }, place, id);
  }

  async #rescue(id: BlockId, place: BlockPlace): Promise<void> {
    const { files, index } = this.#parts;
    const file = await files.open(trashName(place.volumeId), 'read');
    try {
      const copied = await this.#copy(file, place, id);
      this.#key.write(id, 0, 32, 'hex');
      index.set(this.#key, 0, copied);
    } finally {
      await file.close();
    }
  }

  async #copy(file: VolumeFile, place: BlockPlace, id: BlockId): Promise<BlockPlace> {
    const { lane, reader: { sealing } } = this.#parts;
    try {
      let bytes: Buffer | undefined;
      for (const copy of [file, ...(file.copies ?? [])]) {
        bytes ??= await readRecord({ file: copy, sealing }, place, id);
      }
      if (bytes === undefined) throw lost(id, place);
      return await lane.copy(Block.hashed(id, [bytes], bytes.length));
    } catch (error) {
      if (!isKeyFault(error) || error.code !== 'shredded') throw error;
      const packed = await readShredded(file, place, id);
      if (packed === undefined) throw lost(id, place);
      return lane.copy(Block.hashed(id, [], place.sizeBytes), packed);
    }
  }
}

function tooMany(): HoldfastError {
  const message = 'These are too many volumes for one inspection. Inspect fewer at a time.';
  return new HoldfastError('too-large', 'storage/VolumeReclaim.inspectTrash', message);
}

function lost(blockId: BlockId, { volumeId }: BlockPlace): HoldfastError {
  const message = 'A block that is needed is only in the trash, and damaged there.';
  return new HoldfastError('corrupt', 'storage/VolumeReclaim.inspectTrash', message, {
    facts: { blockId, volumeId },
  });
}
