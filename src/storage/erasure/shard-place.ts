/** Where the shards of a set lie, and how their files are opened and read. */
import { hash, webcrypto } from 'node:crypto';
import { HoldfastError } from '../../base/errors.ts';
import { errorCode, isOutOfRoom } from '../backends/local/volume-files.ts';
import type { VolumeFile, VolumeFiles } from '../backends/local/volume-files.ts';

/** 40 microseconds of work: as long as another thread takes to answer. */
const HASHED_HERE_BYTES_MAX = 64 * 1024;

export interface ShardPlace {
  readonly files: VolumeFiles;
  readonly name: string;
}

/** Both in the order of the shards. Undefined: nobody knows of a place. */
export interface SetPlaces {
  readonly data: readonly (ShardPlace | undefined)[];
  readonly parity: readonly (ShardPlace | undefined)[];
}

/** Something that an operator should know of. Positions are chunks of 1 MiB. */
export interface ErasureFinding {
  /** `missing`: no such file. `unreachable`: the disk did not answer, with its `code`. `damaged`:
   *  the bytes are not those that were stored. `foreign`: a file of another set or store. */
  readonly kind: 'missing' | 'unreachable' | 'damaged' | 'foreign';
  readonly shard: number;
  /** Left out when it is about the whole shard. */
  readonly chunk?: number;
  readonly code?: string;
}

export type OnErasureFinding = (finding: ErasureFinding) => void;

/** Either the file, or why not. */
export interface OpenedShard {
  readonly file?: VolumeFile;
  readonly finding?: ErasureFinding;
}

export async function openShard(
  place: ShardPlace | undefined, shard: number,
): Promise<OpenedShard> {
  if (place === undefined) return { finding: { kind: 'missing', shard } };
  try {
    return { file: await place.files.open(place.name, 'read') };
  } catch (error) {
    return { finding: unreadable(error, shard) };
  }
}

/** What a failed call of the disk says about a shard. */
export function unreadable(error: unknown, shard: number): ErasureFinding {
  const code = errorCode(error);
  return code === 'ENOENT' ? { kind: 'missing', shard } : { kind: 'unreachable', shard, code };
}

/** Fills `into`, or answers false: the file is too short. */
export async function readWhole(
  file: VolumeFile, into: Uint8Array, position: number,
): Promise<boolean> {
  return await file.read(into, position) === into.length;
}

/** On the threads of the system, so that nobody waits for it, unless going there would take longer
 *  than the work. `bytes` are copied at once. */
export async function sha256(bytes: Uint8Array): Promise<Buffer> {
  if (bytes.length <= HASHED_HERE_BYTES_MAX) return hash('sha256', bytes, 'buffer');
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

/** A disk's error, as others may see it. */
export function explained(error: unknown, op: string): unknown {
  if (error instanceof HoldfastError) return error;
  const code = errorCode(error);
  if (code === 'unknown') return error;
  const options = { cause: error, facts: { code } };
  if (isOutOfRoom(error)) {
    return new HoldfastError('full', op, 'The disk has no room for the shard. Make room.', options);
  }
  const message = 'A disk does not read or write. Look at its state and at the log of the system.';
  return new HoldfastError('unavailable', op, message, options);
}

/** Closes what is open. A file that was only read, or was synced before, has nothing to lose. */
export async function closeAll(files: readonly (VolumeFile | undefined)[]): Promise<void> {
  await Promise.allSettled(files.map(async (file) => file?.close()));
}
