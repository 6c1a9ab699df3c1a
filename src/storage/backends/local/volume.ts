import type { Trailer } from './footer-codec.ts';
import type { VolumeEntries } from './volume-entries.ts';

/** A volume as the running store knows it. Exactly one of `entries` and `trailer` is there. */
export interface Volume {
  readonly id: number;
  readonly seed: Buffer;
  /** When it was made, which is when its first batch came; ms since 1970. */
  readonly createdMs: number;
  /** Of a volume that is not sealed: its blocks. */
  entries: VolumeEntries | undefined;
  /** Of a sealed volume: where its sorted list of blocks is. */
  trailer: Trailer | undefined;
  /** Of the superblock. Packed blocks are written only where it announces them. */
  formatVersion?: number | undefined;
  /** On its way to the trash: nothing new may come to rely on it. */
  isLeaving?: boolean;
}

/** Volumes are numbered from 1 up and a number is never given twice. */
const VOLUME_NAME = /^v(\d{8,15})\.1\.hv$/;
const DRAFT_NAME = /^v\d{8,15}\.1\.(hv|gone)\.new$/;
const GONE_NAME = /^v(\d{8,15})\.1\.gone$/;
const TRASH_NAME = /^v(\d{8,15})\.1\.hv\.trash$/;

export function volumeName(id: number): string {
  return `v${String(id).padStart(8, '0')}.1.hv`;
}

/** A volume that is being made: it gets its name when its superblock is on disk. */
export function draftName(id: number): string {
  return `${volumeName(id)}.new`;
}

export function hintName(id: number): string {
  return `v${String(id).padStart(8, '0')}.1.hint`;
}

/** An emptied volume on its way out. The folder is flat, so the trash is an ending of names: going
 *  there and coming back is one change of one folder. */
export function trashName(id: number): string {
  return `${volumeName(id)}.trash`;
}

/** The note that a volume has left, and was not lost. */
export function goneName(id: number): string {
  return `v${String(id).padStart(8, '0')}.1.gone`;
}

/** Undefined when the file is not a volume. */
export function parseVolumeName(name: string): number | undefined {
  return parseNumber(name, VOLUME_NAME, volumeName);
}

export function parseTrashName(name: string): number | undefined {
  return parseNumber(name, TRASH_NAME, trashName);
}

export function parseGoneName(name: string): number | undefined {
  return parseNumber(name, GONE_NAME, goneName);
}

function parseNumber(
  name: string, pattern: RegExp, nameOf: (id: number) => string,
): number | undefined {
  const id = Number(pattern.exec(name)?.[1]);
  return Number.isSafeInteger(id) && id > 0 && nameOf(id) === name ? id : undefined;
}

export function isDraftName(name: string): boolean {
  return DRAFT_NAME.test(name);
}
