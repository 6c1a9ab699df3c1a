import { HoldfastError } from '../../../base/errors.ts';
import type { Clock } from '../../../platform/index.ts';
import type {
  Compaction, CompactOptions, TrashedVolume, TrashInspection, VolumeReclaim, VolumeUse,
} from '../../volume-reclaim.ts';
import type { BlockIndex } from './block-index.ts';
import { Compactor } from './compactor.ts';
import type { OnFinding } from './findings.ts';
import { writeGoneNote } from './gone-note.ts';
import { explained } from './inspection.ts';
import { inspectTrash } from './trash-inspection.ts';
import { openSealed } from './sealed-volume.ts';
import { nextTurn } from './turn.ts';
import { readPlace, type EntryPlace } from './volume-entries.ts';
import { VolumeRecords } from './volume-records.ts';
import {
  goneName, hintName, parseTrashName, trashName, volumeName, type Volume,
} from './volume.ts';
import type { VolumeFiles } from './volume-files.ts';
import type { VolumeReader } from './volume-reader.ts';
import type { VolumeSealer } from './volume-sealer.ts';
import type { WriterLane } from './writer-lane.ts';

const OP = 'storage/VolumeReclaim';
const RECORDS_PER_TURN = 16_384;

export interface KeeperParts {
  files: VolumeFiles;
  clock: Clock;
  storeId: Buffer;
  /** The store's own list; a volume that leaves is taken out, one that comes back is put in. */
  volumes: Volume[];
  index: BlockIndex;
  reader: VolumeReader;
  lane: Pick<WriterLane, 'copy' | 'open' | 'endOpen'>;
  sealer: Pick<VolumeSealer, 'drain'>;
  onFinding: OnFinding;
  /** @throws unavailable: the store is closed. */
  checkOpen: () => void;
}

/** VolumeReclaim on volume files. */
export class VolumeKeeper implements VolumeReclaim {
  readonly #parts: KeeperParts;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  async *listUses(signal?: AbortSignal): AsyncGenerator<VolumeUse> {
    const sealed = this.#parts.volumes.filter(({ trailer }) => trailer !== undefined);
    for (const volume of sealed.sort((a, b) => a.id - b.id)) {
      signal?.throwIfAborted();
      const use = await this.#useOf(volume);
      if (use !== undefined) yield use;
    }
  }

  async useOfOpen(): Promise<VolumeUse | undefined> {
    this.#parts.checkOpen();
    const { open } = this.#parts.lane;
    const entries = open?.volume.entries;
    if (open === undefined || entries === undefined || entries.count === 0) return undefined;
    const { id: volumeId, createdMs } = open.volume;
    return this.#countUse({ volumeId, createdMs, sizeBytes: open.position.end }, {
      count: entries.count,
      at: (number) => {
        const { bytes: ids, at } = entries.at(number);
        return { ids, at, place: readPlace(ids, at) };
      },
    });
  }

  async sealOpen(volumeId: number): Promise<void> {
    const { lane, sealer, volumes, checkOpen } = this.#parts;
    checkOpen();
    await lane.endOpen(volumeId);
    await sealer.drain();
    const volume = volumes.find(({ id }) => id === volumeId);
    if (volume === undefined || volume.trailer !== undefined) return;
    if (lane.open?.volume.id === volumeId) return; // It holds nothing, and goes on.
    const message = 'A volume could not be sealed. What it holds is safe; the next start seals it.';
    throw new HoldfastError('unavailable', `${OP}.sealOpen`, message, { facts: { volumeId } });
  }

  async compact(volumeId: number, options: CompactOptions = {}): Promise<Compaction> {
    const { records, sizeBytes } = await this.#load(volumeId);
    return explained(volumeId, () => new Compactor(this.#parts, records, sizeBytes).run(options));
  }

  async moveToTrash(volumeId: number): Promise<void> {
    const { files, storeId, clock, volumes } = this.#parts;
    const { volume, records } = await this.#load(volumeId);
    // From here on nothing new points to it.
    volume.isLeaving = true;
    let hasLeft = false;
    try {
      await this.#checkEmpty(records);
      await explained(volumeId, async () => {
        const dataEnd = volume.trailer?.dataEnd ?? 0;
        await writeGoneNote(files, {
          storeId, volumeId, dataEnd, leftMs: clock.now(), recordCount: records.count,
          seed: volume.seed,
        });
        await files.rename(volumeName(volumeId), trashName(volumeId));
        hasLeft = true;
        await files.syncFolder();
      });
    } catch (error) {
      const isBack = !hasLeft || (await files.rename(trashName(volumeId), volumeName(volumeId))
        .then(() => true, () => false));
      if (isBack) volume.isLeaving = false;
      else volumes.splice(volumes.indexOf(volume), 1);
      throw error;
    }
    volumes.splice(volumes.indexOf(volume), 1);
  }

  async listTrash(): Promise<TrashedVolume[]> {
    const { files } = this.#parts;
    this.#parts.checkOpen();
    const names = await explained(0, () => files.list());
    const ids = names.map(parseTrashName).filter((id) => id !== undefined);
    const trashed: TrashedVolume[] = [];
    for (const volumeId of ids.sort((a, b) => a - b)) {
      const sizeBytes = await explained(volumeId, async () => {
        const file = await files.open(trashName(volumeId), 'read');
        try {
          return await file.size();
        } finally {
          await file.close();
        }
      });
      trashed.push({ volumeId, sizeBytes });
    }
    return trashed;
  }

  async inspectTrash(
    volumeIds: readonly number[], signal?: AbortSignal,
  ): Promise<TrashInspection> {
    await this.#checkTrashed(volumeIds);
    return explained(volumeIds[0] ?? 0, () => inspectTrash(this.#parts, volumeIds, signal));
  }

  async restore(volumeId: number): Promise<void> {
    const { files, index, volumes, storeId } = this.#parts;
    await this.#checkTrashed([volumeId]);
    await explained(volumeId, async () => {
      const sealed = await openSealed(files, trashName(volumeId), volumeId);
      const { seed, createdMs, trailer, records, formatVersion } = sealed;
      // Among volumes of another store it would keep the next start from opening any.
      if (!sealed.storeId.equals(storeId)) throw foreign(volumeId);
      await files.rename(trashName(volumeId), volumeName(volumeId));
      await files.syncFolder();
      // Only now: were the note gone first, a power cut would leave a number that nobody explains.
      const names = await files.list();
      if (names.includes(goneName(volumeId))) await files.remove(goneName(volumeId));
      await files.syncFolder();
      volumes.push({ id: volumeId, seed, createdMs, entries: undefined, trailer, formatVersion });
      volumes.sort((a, b) => a.id - b.id);
      for (let number = 0; number < records.count; number++) {
        const { ids, at, place } = records.at(number);
        if (!index.has(ids, at)) index.set(ids, at, place);
        if (number % RECORDS_PER_TURN === 0) await nextTurn();
      }
    });
  }

  async unlink(volumeId: number): Promise<void> {
    const { files } = this.#parts;
    const names = await this.#checkTrashed([volumeId]);
    await explained(volumeId, async () => {
      await files.remove(trashName(volumeId));
      if (names.has(hintName(volumeId))) await files.remove(hintName(volumeId));
      await files.syncFolder();
    });
  }

  /** Answers the names of all files. @throws not-found: one of these is not in the trash. */
  async #checkTrashed(volumeIds: readonly number[]): Promise<ReadonlySet<string>> {
    this.#parts.checkOpen();
    const names = new Set(await explained(0, () => this.#parts.files.list()));
    const absent = volumeIds.find((volumeId) => !names.has(trashName(volumeId)));
    if (absent !== undefined) throw notThere(absent);
    return names;
  }

  /** A volume that can be compacted: sealed, with a footer that is right. */
  async #load(
    volumeId: number,
  ): Promise<{ volume: Volume; records: VolumeRecords; sizeBytes: number }> {
    const { volumes, reader, checkOpen } = this.#parts;
    checkOpen();
    const volume = volumes.find(({ id }) => id === volumeId);
    const trailer = volume?.trailer;
    if (volume === undefined || trailer === undefined) throw notThere(volumeId);
    return explained(volumeId, () => reader.with(volumeId, async (file) => {
      const records = await VolumeRecords.load(file, trailer);
      if (records === undefined) throw footerDamaged(volumeId);
      return { volume, records, sizeBytes: await file.size() };
    }));
  }

  async #checkEmpty(records: VolumeRecords): Promise<void> {
    const { index } = this.#parts;
    for (let number = 0; number < records.count; number++) {
      const { ids, at, place } = records.at(number);
      const current = index.find(ids, at);
      if (current?.volumeId === place.volumeId && current.offset === place.offset) {
        const message = 'The volume still holds blocks that are relied upon. It stays.';
        const facts = { volumeId: place.volumeId };
        throw new HoldfastError('conflict', `${OP}.moveToTrash`, message, {
          code: 'volume-in-use', facts,
        });
      }
      if (number % RECORDS_PER_TURN === 0) await nextTurn();
    }
  }

  /** Undefined when the footer is damaged: a verifier's business. */
  async #useOf({ id: volumeId, createdMs, trailer }: Volume): Promise<VolumeUse | undefined> {
    const { reader } = this.#parts;
    this.#parts.checkOpen();
    if (trailer === undefined) return undefined;
    return explained(volumeId, () => reader.with(volumeId, async (file) => {
      const records = await VolumeRecords.load(file, trailer);
      if (records === undefined) return undefined;
      return this.#countUse({ volumeId, createdMs, sizeBytes: await file.size() }, {
        count: records.count, at: (number) => records.at(number),
      });
    }));
  }

  async #countUse(
    { volumeId, createdMs, sizeBytes }: Pick<VolumeUse, 'volumeId' | 'createdMs' | 'sizeBytes'>,
    records: CountedRecords,
  ): Promise<VolumeUse> {
    const { index } = this.#parts;
    const use: VolumeUse = {
      volumeId, createdMs, sizeBytes, recordCount: records.count,
      recordBytes: 0, liveBytes: 0, condemnedCount: 0, condemnedBytes: 0, elsewhereBytes: 0,
    };
    for (let number = 0; number < records.count; number++) {
      const { ids, at, place } = records.at(number);
      const current = index.find(ids, at);
      use.recordBytes += place.sizeBytes;
      if (current?.volumeId !== volumeId || current.offset !== place.offset) {
        use.elsewhereBytes += place.sizeBytes;
      } else if (index.isCondemned(ids, at)) {
        use.condemnedCount++;
        use.condemnedBytes += place.sizeBytes;
      } else use.liveBytes += place.sizeBytes;
      if (number % RECORDS_PER_TURN === 0) await nextTurn();
    }
    return use;
  }
}

/** The records of a volume, as many as there were when somebody began to count. */
interface CountedRecords {
  readonly count: number;
  at(number: number): { ids: Buffer; at: number; place: EntryPlace };
}

function notThere(volumeId: number): HoldfastError {
  const message = 'There is no such volume here.';
  return new HoldfastError('not-found', OP, message, { facts: { volumeId } });
}

function foreign(volumeId: number): HoldfastError {
  const message = 'This volume of the trash belongs to another store. It stays in the trash.';
  return new HoldfastError('conflict', `${OP}.restore`, message, {
    code: 'foreign-volume', facts: { volumeId },
  });
}

function footerDamaged(volumeId: number): HoldfastError {
  const message = 'The list at the end of a volume is damaged. It is not compacted.';
  return new HoldfastError('corrupt', OP, message, { facts: { volumeId } });
}
