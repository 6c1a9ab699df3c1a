/**
 * Whether blocks in these volumes are encrypted: to be asked where no key is, before anything new
 * is written beside them.
 *
 * Nothing says so of a whole volume, and one may hold both kinds. So a sample of records is looked
 * at, headers only, of the newest volumes that may hold such blocks: encryption is switched on and
 * never off, so what is newest is encrypted if anything is.
 */
import { decodeTrailer, readFooter, TRAILER_BYTES } from './footer-codec.ts';
import {
  decodeSuperblock, HEADER_BYTES, isPackedBlock, isPlainBlock, isRecordHeader,
  PACKED_FORMAT_VERSION, readBlockHeader, storedRecordBytes, SUPERBLOCK_BYTES, TYPE_COMMIT,
} from './record-codec.ts';
import { readPlace } from './volume-entries.ts';
import type { VolumeFile } from './volume-files.ts';
import { parseTrashName, parseVolumeName } from './volume.ts';

const VOLUMES_MAX = 4096;
const SAMPLED_VOLUMES_MAX = 16;
/** Of a volume without a footer. */
const WALKED_RECORDS_MAX = 4096;
/** Of a sealed one, spread over all of it. */
const SAMPLED_RECORDS = 64;

type Readable = Pick<VolumeFile, 'read' | 'size' | 'close'>;

/** Where volumes lie; a folder that is not there has none. */
export interface SampledVolumes {
  list(): Promise<string[]>;
  open(name: string): Promise<Readable>;
}

/** @throws what the disk says. A volume that is damaged is passed over: others are looked at. */
export async function holdEncrypted(volumes: SampledVolumes): Promise<boolean> {
  const numbered = (await volumes.list()).flatMap((name) => {
    const id = parseVolumeName(name) ?? parseTrashName(name);
    return id === undefined ? [] : [{ name, id }];
  });
  const newest = numbered.sort((a, b) => b.id - a.id).slice(0, VOLUMES_MAX);
  let sampled = 0;
  for (const { name, id } of newest) {
    const file = await volumes.open(name);
    try {
      if (!(await mayBePacked(file))) continue;
      if (await holdsEncrypted(file, id)) return true;
      if (++sampled >= SAMPLED_VOLUMES_MAX) return false;
    } finally {
      await file.close();
    }
  }
  return false;
}

async function mayBePacked(file: Readable): Promise<boolean> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  const superblock = decodeSuperblock(head.subarray(0, await file.read(head, 0)));
  return typeof superblock !== 'string' && superblock.formatVersion === PACKED_FORMAT_VERSION;
}

async function holdsEncrypted(file: Readable, volumeId: number): Promise<boolean> {
  const places = await sample(file, volumeId);
  if (places === undefined) return walk(file);
  for (const place of places) if ((await headerAt(file, place))?.encryption === 1) return true;
  return false;
}

/** Undefined when there is no footer, or a damaged one. */
async function sample(file: Readable, volumeId: number): Promise<number[] | undefined> {
  const bytes = Buffer.alloc(TRAILER_BYTES);
  const at = (await file.size()) - TRAILER_BYTES;
  const filled = at < 0 ? 0 : await file.read(bytes, at);
  const trailer = decodeTrailer(bytes.subarray(0, filled), volumeId);
  if (trailer === undefined) return undefined;
  const step = Math.max(1, Math.floor(trailer.entryCount / SAMPLED_RECORDS));
  const places: number[] = [];
  let number = 0;
  const sound = await readFooter(file, trailer, (body, entryAt) => {
    if (number++ % step === 0) places.push(readPlace(body, entryAt).offset);
  });
  return sound ? places : undefined;
}

/** From the front, record by record. */
async function walk(file: Readable): Promise<boolean> {
  let position = SUPERBLOCK_BYTES;
  for (let count = 0; count < WALKED_RECORDS_MAX; count++) {
    const header = await headerAt(file, position);
    if (header === undefined) return false;
    if (header.encryption === 1) return true;
    position += header.type === TYPE_COMMIT ? HEADER_BYTES : storedRecordBytes(header);
  }
  return false;
}

/** Of a block or a commit; undefined when there is none. */
async function headerAt(file: Readable, position: number) {
  const bytes = Buffer.alloc(HEADER_BYTES);
  if ((await file.read(bytes, position)) !== HEADER_BYTES) return undefined;
  if (!isRecordHeader(bytes, 0)) return undefined;
  const header = readBlockHeader(bytes, 0);
  if (header.type === TYPE_COMMIT) return { ...header, encryption: 0 };
  return isPlainBlock(bytes, 0) || isPackedBlock(bytes, 0) ? header : undefined;
}
