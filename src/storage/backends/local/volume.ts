import type { Trailer } from './footer-codec.ts';
import type { VolumeEntries } from './volume-entries.ts';

/** A volume as the running store knows it. Exactly one of `entries` and `trailer` is there. */
export interface Volume {
  readonly id: number;
  readonly seed: Buffer;
  /** Of a volume that is not sealed: its blocks. */
  entries: VolumeEntries | undefined;
  /** Of a sealed volume: where its sorted list of blocks is. */
  trailer: Trailer | undefined;
}

/** Volumes are numbered from 1 up and a number is never given twice. */
const VOLUME_NAME = /^v(\d{8,15})\.1\.hv$/;
const DRAFT_NAME = /^v\d{8,15}\.1\.hv\.new$/;

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

/** Undefined when the file is not a volume. */
export function parseVolumeName(name: string): number | undefined {
  const id = Number(VOLUME_NAME.exec(name)?.[1]);
  return Number.isSafeInteger(id) && id > 0 && volumeName(id) === name ? id : undefined;
}

export function isDraftName(name: string): boolean {
  return DRAFT_NAME.test(name);
}
