/**
 * ROOT/disk.json: which disk this is and whose. It is written once and never changed, so that a
 * disk is known again in another slot or machine, and a wrong one is noticed before it is used.
 */
import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../../platform/index.ts';
import { createJson, readJson } from './durable-json.ts';
import { isUuid } from './handshake.ts';

export const DISK_FORMAT = 1;
export const DISK_MARKER = 'disk.json';
const DRAFT = /^disk\.json\.[0-9a-f-]{36}\.draft$/;
/** What may lie in an empty root: traces of an adoption that was cut short, and what file systems
 *  put there. */
const HARMLESS = [DRAFT, /^lost\+found$/];

export interface DiskIdentity {
  readonly diskId: string;
  readonly clusterId: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/**
 * What may be done with a root that has no identity. An empty folder may be a disk that is not
 * mounted: whoever lists disks that are known to exist says `never`.
 */
export type Adoption = 'never' | 'if-empty' | 'with-contents';

export interface IdentityRequest {
  clusterId: string;
  adopt: Adoption;
  clock: Clock;
}

/**
 * Reads the identity of the disk at `root`, or gives it one where `adopt` allows it.
 * @throws conflict: of another cluster (`foreign-cluster`), of a newer version (`disk-newer`), with
 * contents and no identity (`disk-foreign`), empty and not to be adopted (`disk-unknown`);
 * corrupt (`disk-damaged`). Nothing was changed then.
 */
export async function identifyDisk(root: string, request: IdentityRequest): Promise<DiskIdentity> {
  const found = await readIdentity(root);
  const identity = found ?? (await adopt(root, request));
  if (identity.clusterId === request.clusterId) return identity;
  const message = 'The disk belongs to another cluster. Check which disk is mounted there.';
  throw new HoldfastError('conflict', 'storage/identifyDisk', message, {
    code: 'foreign-cluster', facts: { diskId: identity.diskId, clusterId: identity.clusterId },
  });
}

async function adopt(root: string, request: IdentityRequest): Promise<DiskIdentity> {
  const names = await readdir(root);
  const empty = names.every((name) => HARMLESS.some((harmless) => harmless.test(name)));
  if (!empty && request.adopt !== 'with-contents') {
    const message = 'The folder holds files and was never a disk of Holdfast. Is it the right one? '
      + 'A new disk must be empty.';
    throw new HoldfastError('conflict', 'storage/identifyDisk', message, { code: 'disk-foreign' });
  }
  if (request.adopt === 'never') {
    const message = 'The disk is empty. Is it mounted? If it is a new one of a filer, start that '
      + 'once with --adopt-empty.';
    throw new HoldfastError('conflict', 'storage/identifyDisk', message, { code: 'disk-unknown' });
  }
  const identity = {
    format: DISK_FORMAT,
    diskId: randomUUID(),
    clusterId: request.clusterId,
    createdAt: new Date(request.clock.now()).toISOString(),
  };
  const path = join(root, DISK_MARKER);
  await createJson(path, identity, `${path}.${randomUUID()}.draft`);
  // Whoever else adopted it at the same time may have been faster: what is there now counts.
  return (await readIdentity(root)) ?? damaged();
}

async function readIdentity(root: string): Promise<DiskIdentity | undefined> {
  let marker: Record<string, unknown> | undefined;
  try {
    marker = await readJson(join(root, DISK_MARKER));
  } catch (error) {
    if (error instanceof SyntaxError) return damaged();
    throw error;
  }
  if (marker === undefined) return undefined;
  const { format, diskId, clusterId, createdAt } = marker;
  if (typeof format === 'number' && format > DISK_FORMAT) {
    const message = 'The disk was set up by a newer Holdfast. Start that version.';
    throw new HoldfastError('conflict', 'storage/identifyDisk', message, { code: 'disk-newer' });
  }
  const isTime = typeof createdAt === 'string' && !Number.isNaN(Date.parse(createdAt));
  if (format !== DISK_FORMAT || !isUuid(diskId) || !isUuid(clusterId) || !isTime) return damaged();
  return { diskId, clusterId, createdAt };
}

function damaged(): never {
  const message = 'The identity of the disk is damaged. Restore that one file from a copy.';
  throw new HoldfastError('corrupt', 'storage/identifyDisk', message, { code: 'disk-damaged' });
}
