/** Looks at every volume of a folder, and writes nothing: whatever is wrong is found before. */
import { HoldfastError } from '../../../base/errors.ts';
import type { Witness } from '../../../base/witness.ts';
import type { VolumeFinding } from './findings.ts';
import { decodeTrailer, TRAILER_BYTES, type Trailer } from './footer-codec.ts';
import {
  decodeSuperblock, SUPERBLOCK_BYTES, type Superblock, type SuperblockFault,
} from './record-codec.ts';
import { readGoneNote, type GoneNote } from './gone-note.ts';
import {
  parseGoneName, parseTrashName, parseVolumeName, trashName, volumeName,
} from './volume.ts';
import {
  errorCode, type FileCopy, type VolumeFile, type VolumeFiles,
} from './volume-files.ts';

const OP = 'storage/LocalVolumeStore.open';

/** More volumes than anybody writes on some disks while no other one gets any: 10 TB of them. There
 *  are numbers enough for 400,000 starts without a disk. */
const HIDDEN_NUMBERS = 10_000;

export interface InspectedVolume {
  id: number;
  sizeBytes: number;
  superblock: Superblock;
  /** Of a volume that was sealed. */
  trailer: Trailer | undefined;
  /** Up to here its bytes are known to have been acknowledged. */
  markEnd: number;
}

export interface Inspection {
  /** In order of their numbers. */
  volumes: InspectedVolume[];
  storeId: Buffer | undefined;
  fileNames: string[];
  findings: VolumeFinding[];
  /** No higher number was ever given to a volume, as far as can be known. */
  lastVolumeId: number;
  /** Numbers with a note that the volume has left, though it is there. */
  returned: number[];
}

/** @throws corrupt, invalid: this folder must not be written to; the message says why. */
export async function inspectFolder(files: VolumeFiles, witness: Witness): Promise<Inspection> {
  const fileNames = await explained(0, () => files.list());
  const ids = fileNames.map(parseVolumeName).filter((id) => id !== undefined);
  ids.sort((a, b) => a - b);
  const marks = new Map(witness);
  const left = await findLeft(files, fileNames);
  checkAllThere(new Set([...ids, ...left.keys()]), marks);
  const volumes: InspectedVolume[] = [];
  for (const id of ids) {
    volumes.push(await explained(id, () => inspectVolume(files, id, marks.get(id) ?? 0)));
  }
  const storeId = volumes[0]?.superblock.storeId ?? await storeIdOfLeft(files, left);
  for (const volume of volumes) {
    if (storeId !== undefined && !volume.superblock.storeId.equals(storeId)) {
      const message = 'A volume of another store lies among the volumes. Move it away.';
      refuse('invalid', volume.id, message);
    }
    checkLength(volume);
  }
  const findings = applySuccessors(volumes, left);
  const numbers = [...ids.slice(-1), ...marks.keys(), ...left.keys()];
  const highest = numbers.reduce((most, id) => Math.max(most, id), 0);
  const lastVolumeId = highest + (files.hidesVolumes === true ? HIDDEN_NUMBERS : 0);
  const returned = ids.filter((id) => typeof left.get(id) === 'object');
  return { volumes, storeId, fileNames, findings, lastVolumeId, returned };
}

/** Volumes that compaction has emptied, by their note or because they lie in the trash: they are
 *  missed by nobody. */
type LeftVolumes = ReadonlyMap<number, GoneNote | 'trash'>;

async function findLeft(files: VolumeFiles, fileNames: readonly string[]): Promise<LeftVolumes> {
  const left = new Map<number, GoneNote | 'trash'>();
  for (const name of fileNames) {
    const trashed = parseTrashName(name);
    if (trashed !== undefined && !left.has(trashed)) left.set(trashed, 'trash');
    const gone = parseGoneName(name);
    if (gone === undefined) continue;
    // A damaged note explains nothing.
    const note = await explained(gone, () => readGoneNote(files, gone));
    if (note !== undefined) left.set(gone, note);
  }
  return left;
}

/** When every volume has left, the next one still belongs to the same store: one of them may be
 *  taken back from the trash, and must not lie among volumes of another store then. */
async function storeIdOfLeft(
  files: VolumeFiles, left: LeftVolumes,
): Promise<Buffer | undefined> {
  for (const note of left.values()) if (note !== 'trash') return note.storeId;
  for (const id of left.keys()) {
    const storeId = await explained(id, () => readStoreId(files, trashName(id)));
    if (storeId !== undefined) return storeId;
  }
  return undefined;
}

async function readStoreId(files: VolumeFiles, name: string): Promise<Buffer | undefined> {
  const file = await files.open(name, 'read');
  try {
    const head = Buffer.alloc(SUPERBLOCK_BYTES);
    const superblock = decodeSuperblock(head.subarray(0, await file.read(head, 0)));
    return typeof superblock === 'string' ? undefined : superblock.storeId;
  } finally {
    await file.close();
  }
}

function checkAllThere(there: ReadonlySet<number>, marks: ReadonlyMap<number, number>): void {
  for (const id of marks.keys()) {
    if (there.has(id)) continue;
    const advice = 'Is its disk mounted? If it is lost, restore it from a copy.';
    refuse('corrupt', id, `A volume that holds stored files is missing. ${advice}`);
  }
}

async function inspectVolume(
  files: VolumeFiles,
  id: number,
  markEnd: number,
): Promise<InspectedVolume> {
  const file = await files.open(volumeName(id), 'read');
  try {
    const sizeBytes = await file.size();
    const superblock = await readSuperblock(file, id);
    if (typeof superblock === 'string') return refuse('corrupt', id, SUPERBLOCK_FAULTS[superblock]);
    if (superblock.volumeId !== id) {
      const message = 'A volume file carries the name of another volume. Give it its name back.';
      return refuse('corrupt', id, message);
    }
    const trailer = await readTrailer(file, id, sizeBytes);
    return { id, sizeBytes, superblock, trailer, markEnd };
  } finally {
    await file.close();
  }
}

/** From the file, or from another copy of it if there are any: one bad copy must not keep the store
 *  from starting. */
async function readSuperblock(file: VolumeFile, id: number): Promise<Superblock | SuperblockFault> {
  const read = async (from: Pick<VolumeFile, 'read'>): Promise<Superblock | SuperblockFault> => {
    const head = Buffer.alloc(SUPERBLOCK_BYTES);
    return decodeSuperblock(head.subarray(0, await from.read(head, 0)));
  };
  const first = await read(file);
  // What a newer program has written is not overruled by an older copy.
  if (first === 'version' || (typeof first !== 'string' && first.volumeId === id)) return first;
  const wrong: FileCopy[] = [];
  for (const copy of file.copies ?? []) {
    const superblock = await read(copy).catch(() => undefined);
    if (superblock === undefined) continue;
    if (superblock === 'version') return superblock;
    if (typeof superblock === 'string' || superblock.volumeId !== id) {
      wrong.push(copy);
      continue;
    }
    for (const bad of wrong) bad.reportDamage(0, SUPERBLOCK_BYTES);
    return superblock;
  }
  return first;
}

function checkLength({ id, sizeBytes, trailer, markEnd }: InspectedVolume): void {
  if (sizeBytes < markEnd) {
    const message = 'A volume is shorter than what was stored in it. Restore it from a copy.';
    refuse('corrupt', id, message, { sizeBytes, markEnd });
  }
  if (trailer !== undefined && trailer.dataEnd < markEnd) {
    const message = 'A volume was sealed before all that was stored in it was written.';
    refuse('corrupt', id, message, { dataEnd: trailer.dataEnd, markEnd });
  }
}

const SUPERBLOCK_FAULTS: Readonly<Record<SuperblockFault, string>> = {
  magic: 'A volume file does not begin like a volume. Restore it from a copy.',
  checksum: 'The beginning of a volume file is damaged. Restore it from a copy.',
  version: 'A volume was written by a newer version of Holdfast. Start that one or a later one.',
};

async function readTrailer(
  file: VolumeFile,
  id: number,
  sizeBytes: number,
): Promise<Trailer | undefined> {
  if (sizeBytes < SUPERBLOCK_BYTES + TRAILER_BYTES) return undefined;
  const bytes = Buffer.alloc(TRAILER_BYTES);
  const filled = await file.read(bytes, sizeBytes - TRAILER_BYTES);
  const trailer = decodeTrailer(bytes.subarray(0, filled), id);
  const bodyEnd = trailer === undefined ? 0 : trailer.bodyAt + trailer.bodyBytes;
  return bodyEnd + TRAILER_BYTES <= sizeBytes ? trailer : undefined;
}

/** Each volume says how much of the one before it was durable: a mark without a witness. */
function applySuccessors(
  volumes: readonly InspectedVolume[], left: LeftVolumes,
): VolumeFinding[] {
  const findings: VolumeFinding[] = [];
  const byId = new Map(volumes.map((volume) => [volume.id, volume]));
  for (const { superblock } of volumes) {
    const { previousVolumeId, previousEnd } = superblock;
    // If it was empty then, it held nothing that could be missed.
    if (previousVolumeId === 0 || previousEnd <= SUPERBLOCK_BYTES) continue;
    const previous = byId.get(previousVolumeId);
    if (previous !== undefined) previous.markEnd = Math.max(previous.markEnd, previousEnd);
    else if (left.has(previousVolumeId)) continue;
    else if (!findings.some(({ volumeId }) => volumeId === previousVolumeId)) {
      findings.push({ kind: 'volume-gap', volumeId: previousVolumeId, lostCount: 1 });
    }
  }
  return findings;
}

/** Errors of the system leave the module as `unavailable`: the disk may come back. */
export async function explained<T>(volumeId: number, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof HoldfastError) throw error;
    const message = 'The disk with the stored files cannot be read. Check it and start again.';
    const facts = { volumeId, code: errorCode(error) };
    throw new HoldfastError('unavailable', OP, message, { facts, cause: error });
  }
}

/** A torn end and the damaged end of what was acknowledged look alike: marks tell them apart. */
export function marksAway(volumeId: number): HoldfastError {
  const message = 'A crash seems to have left the end of a volume half written. Whether it can be '
    + 'cut off is known when all databases of metadata can be reached. Nothing was changed.';
  return new HoldfastError('unavailable', OP, message, { code: 'marks-away', facts: { volumeId } });
}

function refuse(
  kind: 'corrupt' | 'invalid',
  volumeId: number,
  message: string,
  facts: Record<string, number> = {},
): never {
  throw new HoldfastError(kind, OP, message, { facts: { volumeId, ...facts } });
}
