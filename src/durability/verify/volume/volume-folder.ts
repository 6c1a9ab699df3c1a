/** What a verifier may do with a disk: look. A `VolumeFiles` of the store is one of these. */
import { HoldfastError } from '../../../base/errors.ts';

export interface VolumeFolder {
  list(): Promise<string[]>;
  /** `wish` `disk`: what the disk holds is to be read, not what the system remembers of it. Where
   *  that cannot be had it is read as usual. */
  open(name: string, how: 'read', wish?: ReadWish): Promise<ReadableVolume>;
}

export type ReadWish = 'disk' | 'any';

export interface ReadableVolume {
  size(): Promise<number>;
  /** Fills `into` from `position` on; fewer bytes only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** One place where volumes are kept, and what it is called in findings. */
export interface VerifiedDisk {
  /** Lower-case letters, digits and dashes; never a path. */
  readonly id: string;
  readonly files: VolumeFolder;
}

/** Opens with a handle of its own, so that nothing which others hold open is looked at. */
export async function withVolume<T>(
  files: VolumeFolder, name: string, look: (file: ReadableVolume) => Promise<T>,
  wish: ReadWish = 'any',
): Promise<T> {
  const file = await files.open(name, 'read', wish);
  try {
    return await look(file);
  } finally {
    await file.close();
  }
}

/** The system's word for what went wrong, or `unknown`. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return typeof code === 'string' ? code : 'unknown';
}

/** True when this is the disk's refusal, not ours or a caller's. */
export function isDiskError(error: unknown): boolean {
  return !(error instanceof HoldfastError) && /^E[A-Z]/.test(systemCode(error));
}

export async function readAt(
  file: ReadableVolume, position: number, lengthBytes: number,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  const filled = await file.read(bytes, position);
  return bytes.subarray(0, filled);
}
