/**
 * The notes of volumes that have left. They outlive all copies, for a number that nobody explains
 * keeps the store from starting, and they are written to the disks that are there when the volume
 * leaves. Disks that come later get them here: else the last note would leave with the last of
 * those disks, when all of them have been replaced one by one.
 */
import { decodeGoneNote } from '../backends/local/gone-note.ts';
import { goneName, parseGoneName } from '../backends/local/volume.ts';
import { readSmall, replaceSmall } from './checked-json.ts';
import type { CopyTable } from './copy-table.ts';
import type { DiskLink } from './disk-link.ts';
import { parseVolumeName } from './file-names.ts';
import type { ReplicatedVolumeFiles } from './replicated-volume-files.ts';

/** In one sweep; the next one goes on. */
const WRITES_MAX = 256;

export interface NotedDisks {
  readonly links: readonly DiskLink[];
  readonly table: CopyTable;
  readonly files: ReplicatedVolumeFiles;
}

/** Writes notes to disks that lack them. Never rejects: a disk that refuses is asked again in the
 *  next sweep. Not where the volume lies itself: it counts then, or its copy is let go first. */
export async function spreadGoneNotes(disks: NotedDisks, stopped: () => boolean): Promise<void> {
  const refusing = new Set<DiskLink>();
  let left = WRITES_MAX;
  for (const [volumeId, sources] of notedVolumes(disks)) {
    const targets = disks.links.filter((link) => answers(link) && link.state === 'active'
      && link.takesWrites && !refusing.has(link) && !sources.includes(link));
    if (targets.length === 0) continue;
    const note = await readNote(volumeId, sources);
    for (const link of note === undefined ? [] : targets) {
      if (stopped() || left-- === 0) return;
      if (disks.table.find(volumeId) !== undefined) break; // It has come back meanwhile.
      await link.call(0, (files) => replaceSmall(files, goneName(volumeId), note as Buffer)).then(
        () => disks.files.noteFile(link, goneName(volumeId), true),
        () => refusing.add(link),
      );
    }
  }
}

/** Has that disk a sound note that the volume has left? */
export async function isNoted(link: DiskLink, volumeId: number): Promise<boolean> {
  return await readNote(volumeId, [link]) !== undefined;
}

/** How many notes would be lost with this disk: no other one that stays has them. */
export function countLastNotes(link: DiskLink, disks: NotedDisks): number {
  const stays = (one: DiskLink): boolean => one !== link && one.state === 'active' && answers(one);
  const volumes = [...notedVolumes(disks)].filter(([, sources]) => sources.includes(link));
  return volumes.filter(([, sources]) => !sources.some(stays)).length;
}

/** Volumes that are nowhere, and the disks with a note about them, as last seen. */
function notedVolumes(disks: NotedDisks): Map<number, DiskLink[]> {
  const { links, table, files } = disks;
  const noted = new Map<number, DiskLink[]>();
  const names = new Map(links.map((link) => [link, files.namesOn(link)]));
  for (const link of links.filter(answers)) {
    for (const volumeId of (names.get(link) ?? []).map(parseGoneName)) {
      if (volumeId === undefined || table.find(volumeId) !== undefined) continue;
      noted.set(volumeId, [...(noted.get(volumeId) ?? []), link]);
    }
  }
  for (const volumeId of [...names.values()].flat().map(parseVolumeName)) {
    if (volumeId !== undefined) noted.delete(volumeId);
  }
  return noted;
}

function answers({ state, inUse, silentSinceMs }: DiskLink): boolean {
  return state !== 'retired' && inUse && silentSinceMs === undefined;
}

/** Undefined when none of them is sound. */
async function readNote(
  volumeId: number, sources: readonly DiskLink[],
): Promise<Buffer | undefined> {
  for (const link of sources) {
    const bytes = await link.call(0, (files) => readSmall(files, goneName(volumeId)))
      .catch(() => undefined);
    if (bytes !== undefined && decodeGoneNote(bytes, volumeId) !== undefined) return bytes;
  }
  return undefined;
}
