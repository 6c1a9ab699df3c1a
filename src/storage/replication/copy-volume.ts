/**
 * Makes a copy of a volume on a disk: into a draft, synced, read again through a fresh handle and
 * checked batch by batch, and only then under its name. What was there before goes to the trash.
 *
 * A draft that was left by a killed program is gone on with up to where a sync had succeeded, and
 * even that part is compared. Where one source is damaged the bytes come from another.
 */
import { HoldfastError } from '../../base/errors.ts';
import type { VolumePosition } from '../backends/local/hint-file.ts';
import { decodeTrailer, TRAILER_BYTES, type Trailer } from '../backends/local/footer-codec.ts';
import { paddedBytes, type Superblock } from '../backends/local/record-codec.ts';
import { errorCode, type VolumeFile } from '../backends/local/volume-files.ts';
import {
  decodeChecked, encodeChecked, readSmall, removeIfThere, replaceSmall,
} from './checked-json.ts';
import {
  firstFault, readHead, rebuildFooter, startOf, walkCopy, withCopy, type CopyHead, type Stretch,
  type VolumeIdentity,
} from './copy-examination.ts';
import type { DiskLink } from './disk-link.ts';
import { FileLeg } from './file-leg.ts';
import { copyDraftName, copyProgressName, trashName, volumeName } from './file-names.ts';
import type { Pace } from './pace.ts';

const OP = 'storage/RepairWorker';
const CHUNK_BYTES = 1024 ** 2;
const SYNC_EVERY_BYTES = 32 * 1024 ** 2;
/** For one place of a draft that is wrong although it was written from a sound source. */
const TRIES_MAX = 3;

/** What the running store knows of a volume. */
export interface KnownVolume {
  /** A copy that ends before this has lost acknowledged bytes. */
  readonly markEnd: number;
  /** What lies behind this was never acknowledged. On a disk that failed it may be in the system's
   *  memory only, over something else: it must not spread. */
  readonly endMax: number;
  /** Of a sealed volume, if known: a copy without it has lost it. */
  readonly trailerBytes: Buffer | undefined;
}

export interface CopyJob {
  readonly volumeId: number;
  /** The most trusted first. */
  readonly sources: readonly DiskLink[];
  /** Disks whose copy has fallen behind: it may still have a batch that all sources have lost. */
  readonly helpers?: readonly DiskLink[];
  readonly known: KnownVolume;
  readonly target: DiskLink;
  readonly pace: Pace;
  /** Asked between steps: true ends the work, leaving the draft for later. */
  readonly stopped: () => boolean;
  readonly onProgress: (doneBytes: number) => void;
  /** The draft is whole: the last thing before it gets its name. May reject. */
  readonly beforeNaming: () => Promise<void>;
  /** A source is not what it should be there. */
  readonly onBadSource: (link: DiskLink, offset: number, code: string) => void;
}

export type VolumeSources = Pick<CopyJob, 'volumeId' | 'sources' | 'helpers' | 'known'>
  & Partial<Pick<CopyJob, 'target' | 'onBadSource'>>;

/** What a copy of the volume must be. A footer on any of the sources counts: the others have lost
 *  theirs. @throws unavailable: no source can be read; corrupt: together they are not whole. */
export async function identify(from: VolumeSources): Promise<VolumeIdentity> {
  const { volumeId, sources, helpers = [], known, target } = from;
  const heads = await soundHeads(from);
  const head = heads.find((one) => isFinal(one, known)) ?? (heads[0] as SoundHead);
  const { superblock, superblockBytes } = head;
  const sealed = footerOf(volumeId, head, known);
  if (sealed !== undefined) {
    const { dataEnd: end, chain } = sealed.trailer;
    return { superblock, superblockBytes, end, chain, ...sealed };
  }
  const places = sources.map((link) => ({ link, name: volumeName(volumeId) }));
  let { end, chain } = await furthestWalk(places, superblock, known.endMax);
  if (end < known.markEnd) {
    for (const link of helpers) places.push({ link, name: volumeName(volumeId) });
    // A draft that was finished, but never got its name, may be the only whole copy by now.
    if (target !== undefined) places.push({ link: target, name: copyDraftName(volumeId) });
    ({ end, chain } = await furthestWalk(places, superblock, known.endMax));
  }
  // It does not end there: it is damaged there. Whoever took that for the end would lose the rest.
  if (end < known.markEnd) throw damaged(volumeId, end);
  const trailerBytes = Buffer.alloc(0);
  return {
    superblock, superblockBytes, end, chain, sizeBytes: end, trailer: undefined, trailerBytes,
  };
}

type SoundHead = CopyHead & { readonly superblock: Superblock };

/** Of the sources; only if none begins like the volume, of the copies that have fallen behind:
 *  they have the same beginning. At least one. */
async function soundHeads(from: VolumeSources): Promise<SoundHead[]> {
  const { volumeId, sources, helpers = [], onBadSource } = from;
  let failure: unknown;
  const heads: SoundHead[] = [];
  for (const link of [...sources, ...helpers]) {
    const isSource = sources.includes(link);
    if (!isSource && heads.length > 0) break;
    try {
      const head = await readHead(link, volumeId);
      const { superblock } = head;
      const right = typeof superblock !== 'string' && superblock.volumeId === volumeId;
      if (right) heads.push({ ...head, superblock });
      else if (isSource) onBadSource?.(link, 0, 'damaged');
    } catch (error) {
      failure = error;
    }
  }
  if (heads.length > 0) return heads;
  const message = 'No copy of the volume can be read. Bring its disks back.';
  const facts = { volumeId, code: errorCode(failure) };
  throw new HoldfastError('unavailable', OP, message, { facts, cause: failure });
}

/** Its footer is not left from a time before something was added. */
function isFinal({ trailer }: CopyHead, { markEnd, endMax }: KnownVolume): boolean {
  return trailer !== undefined && trailer.dataEnd >= markEnd && trailer.dataEnd <= endMax;
}

type SealedAs = Pick<VolumeIdentity, 'sizeBytes' | 'trailerBytes'> & { trailer: Trailer };

function footerOf(volumeId: number, head: CopyHead, known: KnownVolume): SealedAs | undefined {
  const { trailerBytes } = known;
  const trailer = trailerBytes && decodeTrailer(trailerBytes, volumeId);
  if (trailerBytes !== undefined && trailer !== undefined) {
    const sizeBytes = trailer.bodyAt + paddedBytes(trailer.bodyBytes) + TRAILER_BYTES;
    return { trailer, trailerBytes, sizeBytes };
  }
  if (head.trailer === undefined || !isFinal(head, known)) return undefined;
  return { trailer: head.trailer, trailerBytes: head.trailerBytes, sizeBytes: head.sizeBytes };
}

interface CopyPlace {
  readonly link: DiskLink;
  readonly name: string;
}

/** Of a volume without a footer: how far sound batches go when each copy helps the others. */
async function furthestWalk(
  places: readonly CopyPlace[],
  superblock: Superblock,
  endMax: number,
): Promise<VolumePosition> {
  let position = startOf(superblock);
  for (let before = -1; before !== position.end; ) {
    before = position.end;
    for (const place of places) {
      position = await walkOn(place, superblock, { from: position, end: endMax });
    }
  }
  return position;
}

async function walkOn(
  { link, name }: CopyPlace,
  superblock: Superblock,
  { from, end: endMax }: Stretch,
): Promise<VolumePosition> {
  try {
    return await withCopy(link, name, async (file) => {
      const end = Math.min(endMax, await file.size());
      return (await walkCopy(file, superblock, { from, end })).position;
    });
  } catch {
    return from; // This one does not help.
  }
}

/** Once resolved the copy is there and whole, also after a power cut. False: it was stopped.
 *  @throws corrupt: the sources together are not whole; else what the target says. */
export async function copyVolume(job: CopyJob, nowMs: number): Promise<boolean> {
  const { volumeId, target } = job;
  const identity = await identify(job);
  const draft = copyDraftName(volumeId);
  const leg = await openDraft(target, draft);
  let done: boolean;
  try {
    // One that was finished, but never got its name, may by now be better than all sources.
    const whole = await isWhole(job, identity, leg);
    done = whole || (await fill(job, identity, leg));
    if (done && !whole) await patch(job, identity, leg);
  } catch (error) {
    await leg.close().catch(() => undefined);
    await forget(job);
    throw error;
  }
  await leg.close();
  if (!done) return false;
  await job.beforeNaming();
  await put(job, nowMs);
  return true;
}

async function openDraft(target: DiskLink, draft: string): Promise<FileLeg> {
  const names = await target.call(0, (files) => files.list());
  return new FileLeg(target, await target.open(draft, names.includes(draft) ? 'write' : 'create'));
}

/** The note says that all of it was synced and checked; it is checked again all the same. */
async function isWhole(job: CopyJob, identity: VolumeIdentity, leg: FileLeg): Promise<boolean> {
  if ((await leg.run(0, (file) => file.size())) !== identity.sizeBytes) return false;
  if ((await readProgress(job, identity)) !== identity.sizeBytes) return false;
  await job.pace.take(identity.sizeBytes);
  const check = (file: VolumeFile): ReturnType<typeof firstFault> => firstFault(file, identity);
  return (await withCopy(job.target, copyDraftName(job.volumeId), check)) === undefined;
}

interface Progress {
  /** Of the volume: a draft of another one is worth nothing. */
  seed: string;
  sizeBytes: number;
  syncedBytes: number;
}

async function readProgress({ volumeId, target }: CopyJob, identity: VolumeIdentity) {
  const bytes = await target.call(0, (files) => readSmall(files, copyProgressName(volumeId)));
  const checked = bytes === undefined ? undefined : decodeChecked('copying', 1, bytes);
  if (checked?.sound !== true) return 0;
  const { seed, sizeBytes, syncedBytes } = checked.value as Partial<Progress>;
  const { superblock } = identity;
  const same = seed === superblock.seed.toString('hex') && sizeBytes === identity.sizeBytes;
  return same && Number.isSafeInteger(syncedBytes) ? (syncedBytes as number) : 0;
}

async function noteProgress(job: CopyJob, identity: VolumeIdentity, syncedBytes: number) {
  const seed = identity.superblock.seed.toString('hex');
  const progress: Progress = { seed, sizeBytes: identity.sizeBytes, syncedBytes };
  const bytes = encodeChecked('copying', 1, progress);
  const name = copyProgressName(job.volumeId);
  await job.target.call(0, (files) => replaceSmall(files, name, bytes));
}

/** Fills the draft, from the start or from where it was left. False: stopped. */
async function fill(job: CopyJob, identity: VolumeIdentity, leg: FileLeg): Promise<boolean> {
  const synced = await readProgress(job, identity);
  const there = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let unsyncedBytes = 0;
  for (let at = 0; at < identity.sizeBytes; at += CHUNK_BYTES) {
    if (job.stopped()) return false;
    const lengthBytes = Math.min(CHUNK_BYTES, identity.sizeBytes - at);
    await job.pace.take(lengthBytes);
    const chunk = await readChunk(job, at, lengthBytes);
    const old = there.subarray(0, lengthBytes);
    const known = at + lengthBytes <= synced && (await leg.read(old, at)) === lengthBytes;
    if (!known || !old.equals(chunk)) {
      await leg.run(lengthBytes, (file) => file.write([chunk], at));
      unsyncedBytes += lengthBytes;
    }
    job.onProgress(at + lengthBytes);
    if (unsyncedBytes < SYNC_EVERY_BYTES) continue;
    await leg.run(unsyncedBytes, (file) => file.sync());
    await noteProgress(job, identity, at + lengthBytes);
    unsyncedBytes = 0;
  }
  await leg.run(0, (file) => file.truncate(identity.sizeBytes));
  await leg.run(unsyncedBytes, (file) => file.sync());
  return true;
}

/** From the first source that gives it; zeros if none does, for the check to find. */
async function readChunk(job: CopyJob, at: number, lengthBytes: number): Promise<Buffer> {
  const chunk = Buffer.alloc(lengthBytes);
  for (const link of job.sources) {
    try {
      const filled = await readFrom(job, link, { into: chunk, at });
      if (filled === lengthBytes) return chunk;
    } catch (error) {
      job.onBadSource(link, at, errorCode(error));
    }
  }
  return chunk;
}

function readFrom(
  { volumeId }: CopyJob,
  link: DiskLink,
  { into, at }: { into: Buffer; at: number },
): Promise<number> {
  return withCopy(link, volumeName(volumeId), (file) => file.read(into, at));
}

/** Checks the draft through a fresh handle, and puts right from other sources what is not. */
async function patch(job: CopyJob, identity: VolumeIdentity, leg: FileLeg): Promise<void> {
  const { volumeId, target } = job;
  let from = startOf(identity.superblock);
  let superblockTries = 0;
  let footerTries = 0;
  let triesHere = 0;
  // Each round gets at least one batch further, or tries the same place again, not for ever.
  for (;;) {
    const check = (file: VolumeFile): ReturnType<typeof firstFault> =>
      firstFault(file, identity, from);
    const fault = await withCopy(target, copyDraftName(volumeId), check);
    if (fault === undefined) return noteProgress(job, identity, identity.sizeBytes);
    if (fault.where === 'batch') {
      triesHere = fault.at.end === from.end ? triesHere + 1 : 0;
      if (triesHere > TRIES_MAX) throw damaged(volumeId, from.end);
      from = await patchBatches(job, identity, { leg, at: fault.at });
    } else if (fault.where === 'superblock') {
      if (++superblockTries > TRIES_MAX) throw damaged(volumeId, 0);
      await leg.run(0, (file) => file.write([identity.superblockBytes], 0));
    } else {
      await patchFooter(job, identity, { leg, number: footerTries++ });
    }
    await leg.run(CHUNK_BYTES, (file) => file.sync());
  }
}

interface Patch {
  readonly leg: FileLeg;
  readonly at: VolumePosition;
}

async function patchBatches(
  job: CopyJob,
  { superblock, end }: VolumeIdentity,
  { leg, at }: Patch,
): Promise<VolumePosition> {
  for (const link of [...job.sources, ...(job.helpers ?? [])]) {
    const place = { link, name: volumeName(job.volumeId) };
    // A copy that has fallen behind may go on behind the end, with what was never acknowledged.
    const next = await walkOn(place, superblock, { from: at, end });
    if (next.end <= at.end) {
      job.onBadSource(link, at.end, 'damaged');
      continue;
    }
    for (let from = at.end; from < next.end; from += CHUNK_BYTES) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, next.end - from));
      await readFrom(job, link, { into: chunk, at: from });
      await leg.run(chunk.length, (file) => file.write([chunk], from));
    }
    return at; // Walked again in the draft: what was read a second time may have been wrong.
  }
  throw damaged(job.volumeId, at.end);
}

/** From the other sources, one after the other, and if none has it from the draft's own batches: a
 *  footer repeats what they say. */
async function patchFooter(
  job: CopyJob,
  identity: VolumeIdentity,
  { leg, number }: { leg: FileLeg; number: number },
): Promise<void> {
  const { volumeId, sources } = job;
  const { end, sizeBytes, trailer } = identity;
  if (number >= sources.length) throw damaged(volumeId, end);
  const link = sources[number + 1];
  if (trailer !== undefined) {
    job.onBadSource(sources[number] as DiskLink, end, 'damaged');
    const pieces = link === undefined
      ? await withCopy(job.target, copyDraftName(volumeId), (file) => rebuildFooter(file, identity))
      : [await readFooterBytes(job, link, { at: end, lengthBytes: sizeBytes - end })];
    if (pieces === undefined) throw damaged(volumeId, end);
    await leg.run(sizeBytes - end, (file) => file.write(pieces, end));
  }
  await leg.run(0, (file) => file.truncate(sizeBytes));
}

/** Zeros where it cannot be read, for the check to find. */
async function readFooterBytes(
  job: CopyJob,
  link: DiskLink,
  { at, lengthBytes }: { at: number; lengthBytes: number },
): Promise<Buffer> {
  const into = Buffer.alloc(lengthBytes);
  try {
    await readFrom(job, link, { into, at });
  } catch (error) {
    job.onBadSource(link, at, errorCode(error));
  }
  return into;
}

/** Is it about what the copy is made from? Else it is what the target, or another disk, said. */
export function isAboutSources(error: unknown): boolean {
  return error instanceof HoldfastError && error.op === OP;
}

function damaged(volumeId: number, offset: number): HoldfastError {
  const message = 'Part of a volume is damaged in all copies that can be reached.';
  return new HoldfastError('corrupt', OP, message, { facts: { volumeId, offset } });
}

/** After an error nothing of the draft can be trusted: a failed sync may have dropped bytes. */
async function forget({ volumeId, target }: CopyJob): Promise<void> {
  const names = [copyProgressName(volumeId), copyDraftName(volumeId)];
  for (const name of names) {
    await target.call(0, (files) => removeIfThere(files, name)).catch(() => undefined);
  }
}

/** Both renames, then one sync: a power cut between them leaves the draft, which is found again. */
async function put({ volumeId, target }: CopyJob, nowMs: number): Promise<void> {
  await moveToTrash(target, volumeId, nowMs);
  await target.call(0, async (files) => {
    await files.rename(copyDraftName(volumeId), volumeName(volumeId));
    await files.syncFolder();
    await removeIfThere(files, copyProgressName(volumeId));
  });
}

/** Moves the copy on that disk, if there is one, to the disk's trash. Durable once resolved. */
export async function letGo(link: DiskLink, volumeId: number, nowMs: number): Promise<void> {
  await moveToTrash(link, volumeId, nowMs);
  await link.call(0, (files) => files.syncFolder());
}

async function moveToTrash(link: DiskLink, volumeId: number, nowMs: number): Promise<void> {
  const names = await link.call(0, (files) => files.list());
  const name = volumeName(volumeId);
  if (!names.includes(name)) return;
  let trash = trashName(volumeId, nowMs);
  for (let more = 1; names.includes(trash); more++) trash = trashName(volumeId, nowMs + more);
  await link.call(0, (files) => files.rename(name, trash));
}
