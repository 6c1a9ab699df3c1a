/**
 * Beside each copy of a volume lies the list of all its copies, so that whoever finds one knows of
 * the others, and how many must be seen. A newer list has a higher generation.
 */
import { decodeChecked, encodeChecked } from './checked-json.ts';
import type { CopyCounts } from './volume-disk.ts';

const KIND = 'copies';
const VERSION = 1;
const DISKS_MAX = 64;

export interface CopyList extends CopyCounts {
  readonly volumeId: number;
  /** Counts up with each change. 0: no list was ever written. */
  readonly generation: number;
  /** Ids of the disks that hold, or should hold, a copy. */
  readonly diskIds: readonly string[];
  /** Of a volume that has left: disks that did not answer then, and may still have a copy. */
  readonly leftWithout?: readonly string[];
}

export function encodeCopyList(list: CopyList): Buffer {
  return encodeChecked(KIND, VERSION, list);
}

/** Undefined when these bytes are not a sound list of that volume. */
export function decodeCopyList(bytes: Buffer, volumeId: number): CopyList | undefined {
  const checked = decodeChecked(KIND, VERSION, bytes);
  if (!checked.sound) return undefined;
  const found = (checked.value ?? {}) as Partial<CopyList>;
  const { generation, copies, acksMin, diskIds, leftWithout, ...rest } = found;
  if (rest.volumeId !== volumeId || !Array.isArray(diskIds)) return undefined;
  if (!isCount(generation) || !isCount(copies) || !isCount(acksMin)) return undefined;
  if (diskIds.length === 0 || diskIds.length > DISKS_MAX || acksMin > copies) return undefined;
  if (!diskIds.every((id) => typeof id === 'string')) return undefined;
  const list = { volumeId, generation, copies, acksMin, diskIds };
  return Array.isArray(leftWithout) ? { ...list, leftWithout } : list;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
