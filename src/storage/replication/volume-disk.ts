/** The disks that copies of volumes lie on. */
import type { VolumeFiles } from '../backends/local/volume-files.ts';

/** How far apart two copies must be: on different disks, hosts, racks or zones. */
export const DOMAIN_LEVELS = ['disk', 'host', 'rack', 'zone'] as const;
export type DomainLevel = (typeof DOMAIN_LEVELS)[number];

/** What fails together has the same label. Equal labels are one domain, wherever they stand. */
export type DiskLabels = Readonly<Record<DomainLevel, string>>;

/**
 * - `active`: takes copies.
 * - `readonly`: its copies are read; nothing is written to it.
 * - `draining`: on its way out: read, and its copies do not count.
 * - `missing`: not to be reached for so long that its copies are made anew elsewhere.
 * - `retired`: let go by the operator. Nobody waits for it and nobody asks it.
 */
export const DISK_STATES = ['active', 'readonly', 'draining', 'missing', 'retired'] as const;
export type DiskState = (typeof DISK_STATES)[number];

export interface VolumeDisk {
  /** Never given to another disk. */
  readonly id: string;
  readonly labels: DiskLabels;
  readonly files: VolumeFiles;
  readonly state: DiskState;
  /** On another machine: it is given more time to answer. */
  readonly remote?: boolean;
}

/** How often, how far apart, and how many must have it before anybody is told that it is safe. */
export interface ReplicationPolicy {
  /** N: how many copies a volume has. */
  readonly copies: number;
  /** W: on so many of them the bytes must be durable. At most `copies`. */
  readonly acksMin: number;
  readonly domain: DomainLevel;
}

/** N and W for so many disks. */
export function usualPolicy(diskCount: number): ReplicationPolicy {
  if (diskCount <= 1) return { copies: 1, acksMin: 1, domain: 'disk' };
  return { copies: Math.min(3, diskCount), acksMin: 2, domain: 'disk' };
}

/** So many copies must be seen of a volume that may have been written last: then at least one of
 *  them has everything that was acknowledged. */
export function copiesToTrust({ copies, acksMin }: CopyCounts): number {
  return copies - acksMin + 1;
}

export type CopyCounts = Pick<ReplicationPolicy, 'copies' | 'acksMin'>;
