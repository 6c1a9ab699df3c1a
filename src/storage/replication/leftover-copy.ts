/**
 * A volume may leave while one of its disks is away. When that disk is back, it still has its copy,
 * and nobody may take that for the volume: on the disks that were there lies a note that it has
 * left, and the list of its copies says without which disks. The copy goes to its disk's trash.
 *
 * A volume that came back from the trash while a disk with such a note was away looks the same to
 * that disk. But then it got a newer list, and the newest one counts.
 */
import { HoldfastError } from '../../base/errors.ts';
import { readGoneNote, type GoneNote } from '../backends/local/gone-note.ts';
import { goneName, parseTrashName } from '../backends/local/volume.ts';
import { errorCode } from '../backends/local/volume-files.ts';
import { readSmall } from './checked-json.ts';
import { readHead } from './copy-examination.ts';
import type { OnCopyFinding } from './copy-findings.ts';
import { decodeCopyList, type CopyList } from './copy-list.ts';
import { letGo } from './copy-volume.ts';
import type { DiskLink } from './disk-link.ts';
import { copyListName, isTrashName, volumeIdOf, volumeName } from './file-names.ts';
import { LinkFiles } from './sets/link-files.ts';
import { copiesToTrust } from './volume-disk.ts';

const LEFT_ALREADY = 'its volume has left while the disk was away';

const NEVER_MADE = 'its volume was never finished, and its beginning is damaged';

export interface Leftover {
  readonly link: DiskLink;
  readonly volumeId: number;
  /** It has not left: it was being made when the program ended. */
  readonly isUnborn?: boolean;
}

/** In the trash of its disk, also after a power cut, once resolved.
 *  @throws unavailable: the disk does not do it. */
export async function letGoLeftover(
  { link, volumeId, isUnborn }: Leftover, nowMs: number, onFinding: OnCopyFinding,
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
  const detail = isUnborn === true ? NEVER_MADE : LEFT_ALREADY;
  onFinding({ kind: 'copy-let-go', volumeId, diskId: link.id, detail });
}

/** Of a volume that leaves while disks are away: what is to be written on which of the others
 *  before it does. Undefined: too few of them have a whole copy and the note. */
export function leavingList(
  { list, isGood }: { list: CopyList; isGood: (link: DiskLink) => boolean },
  { links, away, acksMin, hasNote }: {
    links: readonly DiskLink[]; away: readonly DiskLink[]; acksMin: number;
    hasNote: (link: DiskLink) => boolean;
  },
): { next: CopyList; noted: DiskLink[] } | undefined {
  const noted = links.filter((link) =>
    isGood(link) && !away.includes(link) && link.takesWrites && hasNote(link));
  if (noted.length < Math.max(list.acksMin, acksMin)) return undefined;
  const leftWithout = away.map(({ id }) => id);
  return { next: { ...list, generation: list.generation + 1, leftWithout }, noted };
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

/**
 * Is it certain that a volume, of which no copy begins like one, holds nothing that anybody was
 * told of? A batch was acknowledged when W of N copies had it, so it is among any N - W + 1 of
 * them: not if so many disks have the newest list of the copies, are on it, and have no copy. They
 * got the list before the volume got its name, and not all of them came to give it that.
 */
export async function isUnborn(
  volumeId: number, answered: readonly DiskLink[],
): Promise<boolean> {
  try {
    const lists = new Map<DiskLink, CopyList>();
    for (const link of answered) {
      const list = await listOn(link, volumeId);
      if (list !== undefined) lists.set(link, list);
    }
    const newest = [...lists.values()].sort((a, b) => b.generation - a.generation)[0];
    if (newest === undefined) return false;
    let without = 0;
    for (const [link, { generation, diskIds }] of lists) {
      if (generation !== newest.generation) continue;
      if (diskIds.join() !== newest.diskIds.join()) return false; // Two volumes with one number.
      const names = [...(await namesOn(link))].filter((name) => volumeIdOf(name) === volumeId);
      if (names.includes(volumeName(volumeId)) || !diskIds.includes(link.id)) continue;
      const isTrash = (name: string): boolean =>
        isTrashName(name) || parseTrashName(name) !== undefined;
      if (names.some(isTrash)) return false;
      without++;
    }
    return without >= copiesToTrust(newest);
  } catch {
    return false; // A disk does not answer just now.
  }
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
