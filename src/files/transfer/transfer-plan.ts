/** What a transfer would do, and what speaks against it. */
import type { SpaceId, TenantId, UserId } from '../../base/ids.ts';
import type { Name } from '../../base/names.ts';
import {
  COPY_NODES_MAX, GRANTS_PER_SPACE_MAX, TRASH_LIMIT_MAX, VERSION_KEYS_LIMIT_MAX,
} from '../../metadata/index.ts';
import type {
  GrantRecord, Instant, LockRecord, MetadataStore, NodeRecord, SpaceRecord, VersionKey,
} from '../../metadata/index.ts';
import type { Inventory, ReceivedLine, ShareLine } from './inventory.ts';

export interface TransferOrder {
  readonly from: UserId;
  readonly to: { readonly user: UserId } | { readonly team: SpaceId };
  /** Only this folder or file of the account; empty: everything. */
  readonly folder: readonly Name[];
}

export interface TransferPlan {
  /** Of both sides. */
  readonly tenant: TenantId;
  readonly from: string;
  /** A user, or the name of a team's space. */
  readonly to: string;
  /** What the files are to be found in there. */
  readonly folderName: string;
  readonly fileCount: number;
  readonly folderCount: number;
  readonly sizeBytes: number;
  readonly shares: readonly ShareLine[];
  /** What others share with the account: it is not moved. */
  readonly received: readonly ReceivedLine[];
  /** What stays behind and goes on being kept as long as the retention says. */
  readonly oldVersionCount: number;
  readonly trashCount: number;
  readonly trashBytes: number;
  /** An order like this was interrupted; it goes on. */
  readonly isInterrupted: boolean;
  readonly notes: readonly string[];
  /** Empty: it can be done. */
  readonly objections: readonly string[];
}

/** What a plan is made of. */
export interface Ground {
  readonly from: SpaceRecord;
  readonly to: SpaceRecord;
  /** What is to be moved: children of the root, what is gathered already, or the one folder. */
  readonly tops: readonly NodeRecord[];
  readonly gathering: NodeRecord | undefined;
}

/** Counts versions that are not of live files; those of files in the trash too. */
export async function countOldVersions(
  metadata: MetadataStore, spaceId: SpaceId, liveCount: number,
): Promise<number> {
  let count = 0;
  for (let after: VersionKey | undefined; ;) {
    const page = await metadata.listVersionKeys(spaceId, VERSION_KEYS_LIMIT_MAX, after);
    count += page.length;
    after = page.at(-1);
    if (after === undefined || page.length < VERSION_KEYS_LIMIT_MAX) break;
  }
  return Math.max(0, count - liveCount);
}

export async function countTrash(
  metadata: MetadataStore, spaceId: SpaceId,
): Promise<{ trashCount: number; trashBytes: number }> {
  const sum = { trashCount: 0, trashBytes: 0 };
  for (let before: number | undefined; ;) {
    const page = await metadata.listTrash(spaceId, TRASH_LIMIT_MAX, before);
    sum.trashCount += page.length;
    for (const { sizeBytes } of page) sum.trashBytes += sizeBytes;
    before = page.at(-1)?.deletedRev;
    if (before === undefined || page.length < TRASH_LIMIT_MAX) return sum;
  }
}

/** Locks that a move of the tops would meet. */
export async function locksInTheWay(
  metadata: MetadataStore, { from, tops }: Ground, at: Instant,
): Promise<LockRecord[]> {
  const ids = new Set(tops.map(({ id }) => id));
  const parents = new Set(tops.map(({ parentId }) => parentId));
  const locks: LockRecord[] = [];
  for (const lock of await metadata.listLocks(from.id, at)) {
    const chain = await metadata.findChain(from.id, lock.nodeId) ?? [];
    const isWithin = chain.some(({ id }) => ids.has(id));
    if (isWithin || parents.has(lock.nodeId)) locks.push(lock);
  }
  return locks;
}

/** What forbids it. The move itself checks all of this once more. */
export async function objectionsTo(
  metadata: MetadataStore, ground: Ground,
  { inventory, locks, at }: {
    inventory: Inventory; locks: readonly LockRecord[]; at: Instant;
  },
): Promise<string[]> {
  const { from, to, tops } = ground;
  const objections: string[] = [];
  if (tops.length === 0) objections.push('There is nothing to move.');
  const { quotaBytes, usedBytes, reservedBytes } = await metadata.readUsage(to.id, at);
  const freeBytes = quotaBytes === undefined ? Infinity : quotaBytes - usedBytes - reservedBytes;
  if (inventory.sizeBytes > freeBytes) {
    objections.push(`The quota of the receiver lacks room: ${inventory.sizeBytes} bytes are to `
      + `come, ${Math.max(0, freeBytes)} of ${quotaBytes} are free. Raise it, or move less.`);
  }
  if (inventory.fileCount + inventory.folderCount >= COPY_NODES_MAX) {
    objections.push(`More than ${COPY_NODES_MAX} files and folders cannot be moved at once. `
      + 'Move one folder after the other, with --folder.');
  }
  const there = await metadata.listGrants(to.id);
  if (there.length + inventory.grants.length > GRANTS_PER_SPACE_MAX) {
    objections.push(`The receiver would have more than ${GRANTS_PER_SPACE_MAX} shares. `
      + 'Move one folder after the other, or end shares.');
  }
  const others = locks.filter(({ holder }) => holder !== from.owner);
  if (others.length > 0) {
    const holders = [...new Set(others.map(({ holder }) => holder))].sort().join(', ');
    objections.push(`Files are locked by ${holders}. Wait, or have the locks taken away.`);
  }
  for (const { id, owner, name } of [from, to]) {
    const [running] = await metadata.listBatches({ spaceId: id, state: 'running' }, 1);
    if (running === undefined) continue;
    objections.push(`A restore of the files of ${owner ?? name} is running. Wait for its end.`);
  }
  return objections;
}

/** What an administrator should know and need not act on. */
export function notesOn(
  { inventory, above, locks }: {
    inventory: Inventory; above: readonly GrantRecord[]; locks: readonly LockRecord[];
  },
): string[] {
  const notes: string[] = [];
  if (above.length > 0) {
    notes.push(`${above.length} shares and links of folders above stay there, and reach what is `
      + 'moved no longer.');
  }
  const own = new Set(inventory.mounts.map(({ path }) => path)).size;
  if (own > 0) notes.push(`${own} mounts of what others share lie in what is moved; they stay.`);
  if (locks.length > 0) notes.push(`${locks.length} locks of the account end.`);
  return notes;
}
