/**
 * A volume may leave while one of its disks is away. When that disk is back, it still has its copy,
 * and nobody may take that for the volume: on the disks that were there lies a note that it has
 * left, and the list of its copies says without which disks. The copy goes to the trash of its disk.
 *
 * A volume that came back from the trash while a disk with such a note was away looks the same to
 * that disk. But then it got a newer list, and the newest one counts.
 */
import { HoldfastError } from '../../base/errors.ts';
import { readGoneNote, type GoneNote } from '../backends/local/gone-note.ts';
import { goneName } from '../backends/local/volume.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { readSmall } from './checked-json.ts';
import { readHead } from './copy-examination.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import { decodeCopyList, type CopyList } from './copy-list.ts';
import { letGo } from './copy-volume.ts';
import type { DiskLink } from './disk-link.ts';
import { copyListName, volumeName } from './file-names.ts';
import { LinkFiles } from './sets/link-files.ts';

const LEFT_ALREADY = 'its volume has left while the disk was away';

export interface Leftover {
  readonly link: DiskLink;
  readonly volumeId: number;
}

/** In the trash of its disk, also after a power cut, once resolved.
 *  @throws unavailable: the disk does not do it. */
export async function letGoLeftover(
  { link, volumeId }: Leftover, nowMs: number, onFinding: OnCopyFinding,
): Promise<void> {
  try {
    await letGo(link, volumeId, nowMs);
  } catch (cause) {
    const message = 'A disk holds a volume that is gone, and does not move it to its trash. Look '
      + 'at the disk, or start without it.';
    const facts = { volumeId, diskId: link.id, code: errorCode(cause) };
    const op = 'storage/ReplicatedVolumeFiles.open';
    throw new HoldfastError('unavailable', op, message, { facts, cause });
  }
  onFinding({ kind: 'copy-let-go', volumeId, diskId: link.id, detail: LEFT_ALREADY });
}

/** Has the volume left without this copy? False also when nobody can tell: then it counts.
 *  `others`: all other disks that answer. */
export async function isLeftover(
  volumeId: number, link: DiskLink, others: readonly DiskLink[],
): Promise<boolean> {
  try {
    const mine = await namesOn(link);
    if (!mine.has(volumeName(volumeId)) || mine.has(goneName(volumeId))) return false;
    let newest = await listOn(link, volumeId);
    let isNoted = false;
    for (const other of others) {
      const names = await namesOn(other);
      const list = await listOn(other, volumeId);
      if ((list?.generation ?? 0) > (newest?.generation ?? 0)) newest = list;
      if (!names.has(goneName(volumeId))) continue;
      if (names.has(volumeName(volumeId))) return false;
      const note = await readGoneNote(new LinkFiles(other), volumeId);
      if (note === undefined) continue;
      if (!(await mayBeAbout(note, link))) return false;
      isNoted = true;
    }
    return isNoted && newest?.leftWithout?.includes(link.id) === true;
  } catch {
    return false; // A disk does not answer just now. The next look, or start, asks again.
  }
}

async function namesOn(link: DiskLink): Promise<ReadonlySet<string>> {
  return new Set(await link.call(0, (files) => files.list()));
}

/** A copy whose beginning is damaged, or cannot be read, tells nothing against it. */
async function mayBeAbout({ storeId, seed, volumeId }: GoneNote, link: DiskLink): Promise<boolean> {
  try {
    const { superblock } = await readHead(link, volumeId);
    if (typeof superblock === 'string') return superblock !== 'version';
    return storeId.equals(superblock.storeId) && seed.equals(superblock.seed);
  } catch {
    return link.silentSinceMs === undefined;
  }
}

/** Undefined when there is no sound one. */
async function listOn(link: DiskLink, volumeId: number): Promise<CopyList | undefined> {
  const bytes = await link.call(0, (files) => readSmall(files, copyListName(volumeId)));
  return bytes === undefined ? undefined : decodeCopyList(bytes, volumeId);
}
