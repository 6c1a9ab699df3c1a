/**
 * What is known of an erasure set, on each of its disks: which volumes belong together, and how far
 * things have gone. docs/formats/erasure-set.md. A newer record has a higher generation.
 */
import { decodeChecked, encodeChecked } from '../checked-json.ts';

const KIND = 'erasure-set';
const VERSION = 1;
const DATA_MAX = 16;
const PARITY_MAX = 4;

/**
 * - `live`: everything was proven; the volumes have one copy each.
 * - `dissolving`: the volumes are getting their copies back; until then the set still helps.
 * - `dissolved`: they have them. Parity that is found is a leftover.
 */
export const SET_STATES = ['live', 'dissolving', 'dissolved'] as const;
export type SetState = (typeof SET_STATES)[number];

export interface SetVolume {
  readonly volumeId: number;
  readonly sizeBytes: number;
  /** Of the superblock, hexadecimal: says which file of that number it is. */
  readonly seed: string;
  /** Where its one copy belongs. */
  readonly diskId: string;
}

export interface SetRecord {
  readonly number: number;
  readonly generation: number;
  readonly state: SetState;
  /** Both hexadecimal, as the parity files say. */
  readonly setId: string;
  readonly storeId: string;
  readonly volumes: readonly SetVolume[];
  /** Where the parity files belong, in their order. */
  readonly parityDiskIds: readonly string[];
}

/** All disks that hold, or should hold, a shard, in the order of the shards. */
export function disksOf({ volumes, parityDiskIds }: SetRecord): string[] {
  return [...volumes.map(({ diskId }) => diskId), ...parityDiskIds];
}

/** Equal records give equal bytes. */
export function encodeSetRecord(record: SetRecord): Buffer {
  const { number, generation, state, setId, storeId, parityDiskIds } = record;
  const volumes = record.volumes.map(({ volumeId, sizeBytes, seed, diskId }) =>
    ({ volumeId, sizeBytes, seed, diskId }));
  const value = { number, generation, state, setId, storeId, volumes, parityDiskIds };
  return encodeChecked(KIND, VERSION, value);
}

/** Undefined when these bytes are not a sound record of that set. */
export function decodeSetRecord(bytes: Buffer, setNumber: number): SetRecord | undefined {
  const checked = decodeChecked(KIND, VERSION, bytes);
  if (!checked.sound) return undefined;
  const found = (checked.value ?? {}) as Partial<SetRecord>;
  const { number, generation, state, setId, storeId, volumes, parityDiskIds } = found;
  if (number !== setNumber || !isCount(generation)) return undefined;
  if (state === undefined || !SET_STATES.includes(state)) return undefined;
  if (!isId(setId) || !isId(storeId)) return undefined;
  if (!Array.isArray(volumes) || volumes.length < 1 || volumes.length > DATA_MAX) return undefined;
  if (!volumes.every(isVolume)) return undefined;
  if (!Array.isArray(parityDiskIds) || parityDiskIds.length < 1) return undefined;
  if (parityDiskIds.length > PARITY_MAX) return undefined;
  if (!parityDiskIds.every((id) => typeof id === 'string')) return undefined;
  return { number, generation, state, setId, storeId, volumes, parityDiskIds };
}

function isVolume(value: unknown): value is SetVolume {
  if (typeof value !== 'object' || value === null) return false;
  const { volumeId, sizeBytes, seed, diskId } = value as Partial<SetVolume>;
  return isCount(volumeId) && isCount(sizeBytes) && typeof diskId === 'string'
    && typeof seed === 'string' && /^[0-9a-f]{64}$/.test(seed);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}
