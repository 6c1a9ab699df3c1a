/**
 * Which blocks the volumes of some disks hold, as the volumes themselves say: by the footer where
 * there is a sound one, by their record headers else. Nothing is asked of the running store.
 */
import { HoldfastError, isKind } from '../../../base/errors.ts';
import {
  blockIn, FANOUT_BYTES, HEAD_BYTES, isPayloadSound, LISTED_BYTES, parseVolumeFileName,
  readBlockHeader, readHead, readListed, readTail, RECORD_HEADER_BYTES, TAIL_BYTES,
} from './volume-format.ts';
import type { RecordHeader, VolumeHead, VolumeTail } from './volume-format.ts';
import { isDiskError, readAt, systemCode, withVolume } from './volume-folder.ts';
import type { ReadableVolume, VerifiedDisk } from './volume-folder.ts';
import { walkVolume } from './volume-walk.ts';
import type { Pace } from './volume-window.ts';

/** One volume number and the disks that have a file of it. */
export interface CataloguedVolume {
  volumeId: number;
  generation: number;
  name: string;
  disks: VerifiedDisk[];
}

export interface CatalogBlock {
  id: string;
  volumeId: number;
  offset: number;
  sizeBytes: number;
}

/** Half open; hex ids. `to` undefined: up to the end. */
export interface IdRange {
  from: string;
  to: string | undefined;
}

export const ALL_IDS: IdRange = { from: '', to: undefined };
const ENTRIES_PER_READ = 2048;

/** The volumes on the disks, ascending by number. @throws unavailable: a disk does not answer, so
 *  nobody may say that a block is nowhere. */
export async function listVolumes(disks: readonly VerifiedDisk[]): Promise<CataloguedVolume[]> {
  const volumes = new Map<string, CataloguedVolume>();
  for (const disk of disks) {
    for (const name of await answered(() => disk.files.list())) {
      const parsed = parseVolumeFileName(name);
      if (parsed === undefined) continue;
      const { id, generation } = parsed;
      const volume = volumes.get(name) ?? { volumeId: id, generation, name, disks: [] };
      volume.disks.push(disk);
      volumes.set(name, volume);
    }
  }
  return [...volumes.values()].sort((a, b) => a.volumeId - b.volumeId
    || a.generation - b.generation);
}

/** @throws unavailable instead of the system's error. */
export async function answered<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (!isDiskError(error)) throw error;
    const message = 'A disk with stored files does not answer. Check it.';
    const facts = { code: systemCode(error) };
    throw new HoldfastError('unavailable', 'durability/listVolumes', message, {
      facts, cause: error,
    });
  }
}

export interface ListOptions {
  range: IdRange;
  pace: Pace;
  /** How far each volume is known to have been durable. */
  marks?: ReadonlyMap<number, number>;
  /** Walks the records even where there is a footer. */
  ignoresFooters?: boolean;
  take: (block: CatalogBlock, file: ReadableVolume) => void | Promise<void>;
}

/** Hands over the blocks of one volume; from the first of its disks that can tell.
 *  @returns false when no disk can: the volume is gone, or its beginning is damaged everywhere. */
export async function listBlocksOf(
  volume: CataloguedVolume, options: ListOptions,
): Promise<boolean> {
  for (const disk of volume.disks) {
    try {
      const done = await withVolume(disk.files, volume.name, (file) =>
        listFile(file, volume.volumeId, options));
      if (done) return true;
    } catch (error) {
      if (!isDiskError(error) && !isKind(error, 'unavailable')) throw error;
    }
  }
  return false;
}

async function listFile(
  file: ReadableVolume, volumeId: number, options: ListOptions,
): Promise<boolean> {
  const sizeBytes = await file.size();
  const head = readHead(await readAt(file, 0, HEAD_BYTES));
  if (typeof head === 'string') return false;
  const ending = await readAt(file, Math.max(0, sizeBytes - TAIL_BYTES), TAIL_BYTES);
  const tail = readTail(ending, { volumeId, sizeBytes });
  const isListed = tail !== undefined && options.ignoresFooters !== true
    && (await listFooter(file, { tail, volumeId }, options));
  if (isListed) return true;
  const markEnd = Math.max(tail?.dataEnd ?? 0, options.marks?.get(volumeId) ?? 0);
  const endBytes = tail?.dataEnd ?? sizeBytes;
  await listRecords(file, { head, volumeId, sizeBytes: endBytes, markEnd }, options);
  return true;
}

/** False, before anything was handed over, when the footer contradicts itself. */
async function listFooter(
  file: ReadableVolume, { tail, volumeId }: { tail: VolumeTail; volumeId: number },
  { range, pace, take }: ListOptions,
): Promise<boolean> {
  const fanout = await readAt(file, tail.bodyAt + tail.entryCount * LISTED_BYTES, FANOUT_BYTES);
  const first = Number.parseInt(range.from.slice(0, 2) || '00', 16);
  const last = range.to === undefined ? 255 : Number.parseInt(range.to.slice(0, 2), 16);
  const begin = first === 0 ? 0 : fanout.readUInt32LE((first - 1) * 4);
  const end = fanout.readUInt32LE(last * 4);
  if (begin > end || end > tail.entryCount) return false;
  for (let entry = begin; entry < end; entry += ENTRIES_PER_READ) {
    const count = Math.min(ENTRIES_PER_READ, end - entry);
    pace.signal.throwIfAborted();
    await pace.budget?.take(count, pace.signal);
    const bytes = await readAt(file, tail.bodyAt + entry * LISTED_BYTES, count * LISTED_BYTES);
    for (let at = 0; at + LISTED_BYTES <= bytes.length; at += LISTED_BYTES) {
      const block = readListed(bytes, at);
      if (isWithin(block.id, range)) await take({ ...block, volumeId }, file);
    }
  }
  return true;
}

async function listRecords(
  file: ReadableVolume,
  volume: { head: VolumeHead; volumeId: number; sizeBytes: number; markEnd: number },
  { range, pace, take }: ListOptions,
): Promise<void> {
  const { head, volumeId, sizeBytes, markEnd } = volume;
  await walkVolume({
    file, sizeBytes, head, from: undefined, markEnd,
    // Records are what is counted here, not bytes.
    pace: { budget: undefined, signal: pace.signal },
    visitor: {
      fault: () => undefined, // The scrubber tells of it.
      batch: async (blocks) => {
        await pace.budget?.take(blocks.length, pace.signal);
        for (const { header, position } of blocks) {
          if (!isWithin(header.id, range)) continue;
          const { id, blockBytes } = header;
          await take({ id, volumeId, offset: position, sizeBytes: blockBytes }, file);
        }
      },
    },
  });
}

export function isWithin(id: string, { from, to }: IdRange): boolean {
  return id >= from && (to === undefined || id < to);
}

/** The sound header of this very block at its place; undefined when it is not there. */
export async function readHeaderOf(
  file: ReadableVolume, { id, offset }: { id: string; offset: number },
): Promise<RecordHeader | undefined> {
  const bytes = await readAt(file, offset, RECORD_HEADER_BYTES);
  const header = bytes.length < RECORD_HEADER_BYTES ? undefined : readBlockHeader(bytes, 0);
  return header?.id === id ? header : undefined;
}

/** An encrypted record whose checksums are right. */
export interface SealedRecord extends Pick<RecordHeader, 'id' | 'codec' | 'encryption' | 'keyId'> {
  /** Of the block. */
  sizeBytes: number;
  payload: Buffer;
}

/** Verifiers hold no keys: whoever does opens a record for them. Undefined: it is damaged, or there
 *  is no key for it. */
export type Unseal = (record: SealedRecord) => Promise<Buffer | undefined>;

export interface BlockSource {
  disks: () => readonly VerifiedDisk[];
  unseal?: Unseal;
  /** Where nothing else helps. */
  readBlock?: (id: string) => Promise<Buffer | undefined>;
}

/** For blocks that list blocks: straight from the volumes, and where that cannot be, through
 *  `readBlock`. */
export function blockReader(
  from: BlockSource, pace: Pace,
): (id: string) => Promise<Buffer | undefined> {
  return async (id) => {
    const volumes = await listVolumes(from.disks());
    const block = await readBlockFromVolumes(volumes, { id, unseal: from.unseal }, pace);
    return block ?? await from.readBlock?.(id);
  };
}

/** Reads one block, checked against its checksum, from whichever volume and disk has it whole;
 *  undefined when there is none, or it is encrypted. Slow: for the few blocks that verifiers need
 *  themselves. */
async function readBlockFromVolumes(
  volumes: readonly CataloguedVolume[],
  { id, unseal }: { id: string; unseal: Unseal | undefined }, pace: Pace,
): Promise<Buffer | undefined> {
  const range = { from: id, to: `${id}0` };
  let found: Buffer | undefined;
  for (const volume of volumes.toReversed()) {
    for (const disk of volume.disks) {
      await listBlocksOf({ ...volume, disks: [disk] }, {
        range, pace: { budget: undefined, signal: pace.signal },
        take: async (block, file) => {
          found ??= await readWhole(file, block, unseal);
        },
      });
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

async function readWhole(
  file: ReadableVolume, block: CatalogBlock, unseal: Unseal | undefined,
): Promise<Buffer | undefined> {
  const header = await readHeaderOf(file, block);
  if (header === undefined) return undefined;
  const payload = await readAt(file, block.offset + RECORD_HEADER_BYTES, header.payloadBytes);
  if (payload.length < header.payloadBytes || !isPayloadSound(payload, header)) return undefined;
  if (header.encryption !== 0) {
    return unseal?.({ ...header, payload, sizeBytes: header.blockBytes });
  }
  const opened = await blockIn(payload, header);
  return opened === 'damaged' ? undefined : opened;
}
