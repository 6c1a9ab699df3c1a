/** Looking at one copy of a volume. Nothing is written here. */
import {
  HINT_BYTES_MAX, loadHint, type VolumePosition,
} from '../backends/local/hint-file.ts';
import {
  decodeTrailer, encodeFooter, readFooter, TRAILER_BYTES, type Trailer,
} from '../backends/local/footer-codec.ts';
import {
  decodeSuperblock, firstChain, HEADER_BYTES, readCommit, SUPERBLOCK_BYTES, type Commit,
  type Superblock, type SuperblockFault,
} from '../backends/local/record-codec.ts';
import { hintName } from '../backends/local/volume.ts';
import { VolumeEntries } from '../backends/local/volume-entries.ts';
import { errorCode, type VolumeFile } from '../backends/local/volume-files.ts';
import { scanVolume, walkVolume, type ScanResult } from '../backends/local/volume-scan.ts';
import type { DiskLink } from './disk-link.ts';
import { FileLeg } from './file-leg.ts';
import { volumeName } from './file-names.ts';

/** What can be told of a copy without walking through it. */
export interface CopyHead {
  readonly link: DiskLink;
  readonly sizeBytes: number;
  readonly superblock: Superblock | SuperblockFault;
  readonly superblockBytes: Buffer;
  /** Of a sealed volume, if it is sound and the data before it ends as it says. */
  readonly trailer: Trailer | undefined;
  readonly trailerBytes: Buffer;
}

/** Opens the copy for `use`, with the deadlines of its disk. */
export async function withCopy<T>(
  link: DiskLink,
  name: string,
  use: (file: VolumeFile) => Promise<T>,
): Promise<T> {
  const leg = new FileLeg(link, await link.open(name, 'read'));
  try {
    return await use(patient(leg));
  } finally {
    await leg.close().catch(() => undefined);
  }
}

/** The reading half of a VolumeFile; the other half refuses. */
function patient(leg: FileLeg): VolumeFile {
  const refuse = (): Promise<never> => Promise.reject(new Error('open for reading'));
  return {
    size: () => leg.run(0, (file) => file.size()),
    read: (into, position) => leg.read(into, position),
    close: () => leg.close(),
    write: refuse, datasync: refuse, writeDurably: refuse, sync: refuse, truncate: refuse,
  };
}

export function readHead(link: DiskLink, volumeId: number): Promise<CopyHead> {
  return withCopy(link, volumeName(volumeId), async (file) => {
    const sizeBytes = await file.size();
    const superblockBytes = Buffer.alloc(SUPERBLOCK_BYTES);
    const filled = await file.read(superblockBytes, 0);
    const superblock = decodeSuperblock(superblockBytes.subarray(0, filled));
    const head = { link, sizeBytes, superblock, superblockBytes };
    const none = { ...head, trailer: undefined, trailerBytes: Buffer.alloc(0) };
    if (typeof superblock === 'string' || sizeBytes < SUPERBLOCK_BYTES + TRAILER_BYTES) return none;
    const trailerBytes = Buffer.alloc(TRAILER_BYTES);
    await file.read(trailerBytes, sizeBytes - TRAILER_BYTES);
    const trailer = decodeTrailer(trailerBytes, volumeId);
    if (trailer === undefined) return none;
    if (trailer.bodyAt + trailer.bodyBytes + TRAILER_BYTES > sizeBytes) return none;
    const { dataEnd: end, chain } = trailer;
    const ends = await hasCommitAt(file, superblock.seed, { end, chain });
    return ends ? { ...head, trailer, trailerBytes } : none;
  });
}

export function startOf(superblock: Superblock): VolumePosition {
  return { end: SUPERBLOCK_BYTES, nextBatch: 1, chain: firstChain(superblock.seed) };
}

/** True when the volume has, just before `end`, the commit record with that chain. */
export async function hasCommitAt(
  file: VolumeFile,
  seed: Buffer,
  { end, chain }: { end: number; chain: Buffer },
): Promise<boolean> {
  if (end === SUPERBLOCK_BYTES) return true;
  return (await readCommitBefore(file, seed, end))?.chain.equals(chain) ?? false;
}

/** The commit record that ends there. */
async function readCommitBefore(
  file: VolumeFile, seed: Buffer, end: number,
): Promise<Commit | undefined> {
  if (end === SUPERBLOCK_BYTES) return undefined;
  const bytes = Buffer.alloc(HEADER_BYTES);
  const filled = await file.read(bytes, end - HEADER_BYTES);
  return filled === HEADER_BYTES ? readCommit(bytes, 0, seed, end - HEADER_BYTES) : undefined;
}

/** Where the batch begins that ends there; the same place when none does. */
export async function startOfBatchBefore(
  file: VolumeFile, seed: Buffer, end: number,
): Promise<number> {
  return (await readCommitBefore(file, seed, end))?.batchStart ?? end;
}

/** Is the batch that ends there sound? */
export async function isBatchSoundBefore(
  file: VolumeFile, superblock: Superblock, end: number,
): Promise<boolean> {
  const commit = await readCommitBefore(file, superblock.seed, end);
  if (commit === undefined) return false;
  const { batchStart, batch, previousChain } = commit;
  const from = { end: batchStart, nextBatch: batch, chain: previousChain };
  return (await walkCopy(file, superblock, { from, end })).position.end === end;
}

/** The place that the hint on this disk names; undefined when there is no sound hint. */
export async function readHint(
  link: DiskLink,
  { volumeId, seed }: Superblock,
): Promise<VolumePosition | undefined> {
  try {
    return await withCopy(link, hintName(volumeId), async (file) => {
      if ((await file.size()) > HINT_BYTES_MAX) return undefined;
      return (await loadHint(file, { volumeId, seed }, new VolumeEntries()))?.position;
    });
  } catch (error) {
    if (link.silentSinceMs !== undefined && errorCode(error) === 'ETIMEDOUT') throw error;
    return undefined; // Without it the walk begins at the start.
  }
}

export interface Stretch {
  readonly from: VolumePosition;
  /** Nothing at or behind this is looked at. */
  readonly end: number;
}

/** How far batch follows sound batch. */
export function walkCopy(
  file: VolumeFile,
  { volumeId, seed }: Superblock,
  { from, end }: Stretch,
): Promise<ScanResult> {
  const entries = new VolumeEntries();
  const key = { volumeId, seed };
  return walkVolume({ file, sizeBytes: end, key, from, markEnd: 0, entries });
}

/** Does anything behind `from` prove that bytes were acknowledged there? */
export async function isRottenFrom(
  file: VolumeFile,
  { volumeId, seed }: Superblock,
  { from, end, markEnd }: Stretch & { markEnd: number },
): Promise<boolean> {
  const entries = new VolumeEntries();
  const key = { volumeId, seed };
  const scan = await scanVolume({ file, sizeBytes: end, key, from, markEnd, entries });
  return scan.verdict === 'rotten';
}

/** What a whole copy must be. */
export interface VolumeIdentity {
  readonly superblock: Superblock;
  readonly superblockBytes: Buffer;
  /** Where the batches end, and the chain there. */
  readonly end: number;
  readonly chain: Buffer;
  readonly sizeBytes: number;
  readonly trailer: Trailer | undefined;
  readonly trailerBytes: Buffer;
}

export type CopyFault =
  | { readonly where: 'superblock' | 'footer' | 'size' }
  | { readonly where: 'batch'; readonly at: VolumePosition };

/** Where a copy stops being what it must be; undefined when all of it is right. */
export async function firstFault(
  file: VolumeFile,
  identity: VolumeIdentity,
  from: VolumePosition = startOf(identity.superblock),
): Promise<CopyFault | undefined> {
  const head = Buffer.alloc(SUPERBLOCK_BYTES);
  await file.read(head, 0);
  if (!head.equals(identity.superblockBytes)) return { where: 'superblock' };
  const { superblock, end, chain, trailer, sizeBytes } = identity;
  const walked = await walkCopy(file, superblock, { from, end });
  if (walked.position.end !== end || !walked.position.chain.equals(chain)) {
    return { where: 'batch', at: walked.position };
  }
  if ((await file.size()) !== sizeBytes) return { where: 'size' };
  if (trailer === undefined) return undefined;
  const last = Buffer.alloc(TRAILER_BYTES);
  await file.read(last, sizeBytes - TRAILER_BYTES);
  const sound = last.equals(identity.trailerBytes)
    && (await readFooter(file, trailer, () => undefined));
  return sound ? undefined : { where: 'footer' };
}

/** The footer, made anew from the batches; undefined when it is not the one that was written. */
export async function rebuildFooter(
  file: VolumeFile,
  { superblock, end, chain, trailerBytes }: VolumeIdentity,
): Promise<Buffer[] | undefined> {
  const { volumeId, seed } = superblock;
  const entries = new VolumeEntries();
  const key = { volumeId, seed };
  const from = startOf(superblock);
  await walkVolume({ file, sizeBytes: end, key, from, markEnd: 0, entries });
  const { pieces } = await encodeFooter({ volumeId, dataEnd: end, chain, entries });
  return pieces.at(-1)?.equals(trailerBytes) === true ? pieces : undefined;
}
