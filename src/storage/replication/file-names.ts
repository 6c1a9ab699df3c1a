/** Names of the files that replication keeps beside volumes. The store above does not see them. */
import { isSetName } from './sets/set-names.ts';
import { draftName, parseVolumeName, volumeName } from '../backends/local/volume.ts';

const OF_VOLUME = /^v(\d{8,15})\.1\./;
const OWN = /^(v\d{8,15}\.1\.(copies|copying|copying-from)|disks)(\.new)?$/;
const BAD = /^v\d{8,15}\.1\.hv\.bad-\d+$/;

function prefix(volumeId: number): string {
  return `v${String(volumeId).padStart(8, '0')}.1`;
}

/** The list of a volume's copies. */
export function copyListName(volumeId: number): string {
  return `${prefix(volumeId)}.copies`;
}

/** A copy in the making. */
export function copyDraftName(volumeId: number): string {
  return `${prefix(volumeId)}.copying`;
}

/** How far the making has come. */
export function copyProgressName(volumeId: number): string {
  return `${prefix(volumeId)}.copying-from`;
}

/** In the trash: a copy that was replaced, or that is one too many. */
export function trashName(volumeId: number, atMs: number): string {
  return `${volumeName(volumeId)}.bad-${atMs}`;
}

/** When it was put there, in ms since 1970, by the clock of who did; NaN for other names. */
export function trashedMs(name: string): number {
  return isTrashName(name) ? Number(name.slice(name.lastIndexOf('-') + 1)) : NaN;
}

export function isTrashName(name: string): boolean {
  return BAD.test(name);
}

/** Files of one disk alone, which say nothing to the store above. */
export function isOwnName(name: string): boolean {
  return OWN.test(name) || BAD.test(name) || isSetName(name);
}

/** The volume that a file belongs to: the volume itself, its draft, its hint. */
export function volumeIdOf(name: string): number | undefined {
  const id = Number(OF_VOLUME.exec(name)?.[1]);
  return Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

/** A volume in the making, by the store above. */
export function isVolumeDraft(name: string): boolean {
  const volumeId = volumeIdOf(name);
  return volumeId !== undefined && draftName(volumeId) === name;
}

/** The volume whose copy, or a note about it, is in the making; undefined for other files. */
export function parseCopyDraft(name: string): number | undefined {
  const volumeId = volumeIdOf(name);
  if (volumeId === undefined) return undefined;
  const notes = [copyProgressName(volumeId), copyListName(volumeId)].map((one) => `${one}.new`);
  const names = [copyDraftName(volumeId), copyProgressName(volumeId), ...notes];
  return names.includes(name) ? volumeId : undefined;
}

export { parseVolumeName, volumeName };
