/** What there is at and below some nodes: enough to tell afterwards that all of it has arrived. */
import { createHash } from 'node:crypto';
import type { GrantId, NodeId, SpaceId } from '../../base/ids.ts';
import type { Role } from '../../base/roles.ts';
import type { GrantRecord, Instant, MetadataStore, NodeRecord } from '../../metadata/index.ts';
import { readTerms } from '../sharing/terms.ts';

/** A share or link, as an administrator may see it: without secrets. */
export interface ShareLine {
  readonly id: GrantId;
  readonly kind: 'user' | 'group' | 'link';
  /** A user or group; of a link what its maker calls it. */
  readonly whom: string;
  readonly role: Role;
  /** Names from the top of what is moved. */
  readonly path: string;
  readonly expiresAt: Instant | undefined;
  readonly hasPassword: boolean;
  readonly downloads: number;
}

/** What somebody else shares with whoever is looked at. */
export interface ReceivedLine {
  readonly path: string;
  /** Whose it is; a team's name with a team. */
  readonly owner: string;
}

export interface Inventory {
  readonly fileCount: number;
  readonly folderCount: number;
  readonly sizeBytes: number;
  /** The same for two trees with the same paths, sizes, times and checksums. */
  readonly fingerprint: string;
  /** By ascending id. */
  readonly shares: readonly ShareLine[];
  /** Grants that `shares` tell of, in the same order. */
  readonly grants: readonly GrantRecord[];
  readonly mounts: readonly { path: string; node: NodeRecord }[];
}

const FINGERPRINT_BYTES = 32;

export interface InventoryOrder {
  readonly spaceId: SpaceId;
  /** Each with all below it. */
  readonly tops: readonly NodeRecord[];
  readonly signal: AbortSignal;
}

/** Memory grows with the folders that wait to be listed, the grants and the mounts; files are
 *  only added up. What changes meanwhile may be seen or missed. */
export async function takeInventory(
  metadata: MetadataStore, { spaceId, tops, signal }: InventoryOrder,
): Promise<Inventory> {
  const grantsAt = Map.groupBy(await metadata.listGrants(spaceId), ({ nodeId }) => nodeId);
  const sum = new Uint8Array(FINGERPRINT_BYTES);
  const figures = { fileCount: 0, folderCount: 0, sizeBytes: 0 };
  const shares: { line: ShareLine; grant: GrantRecord }[] = [];
  const mounts: { path: string; node: NodeRecord }[] = [];
  const open: { id: NodeId; path: string }[] = [];
  const note = (node: NodeRecord, above: string): void => {
    const path = above === '' ? node.name : `${above}/${node.name}`;
    if (node.kind === 'mount') {
      mounts.push({ path, node });
      return;
    }
    for (const grant of grantsAt.get(node.id) ?? []) {
      shares.push({ line: lineOf(grant, path), grant });
    }
    addInto(sum, digestOf(node, path));
    if (node.kind === 'folder') {
      figures.folderCount += 1;
      open.push({ id: node.id, path });
      return;
    }
    figures.fileCount += 1;
    figures.sizeBytes += node.sizeBytes;
  };
  for (const top of tops) note(top, '');
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const { id, path } = folder;
    for await (const page of metadata.listFolder(spaceId, id, { signal })) {
      signal.throwIfAborted();
      for (const node of page) note(node, path);
    }
  }
  shares.sort((one, other) => one.grant.id - other.grant.id);
  return {
    ...figures, fingerprint: Buffer.from(sum).toString('hex'), mounts,
    shares: shares.map(({ line }) => line), grants: shares.map(({ grant }) => grant),
  };
}

function lineOf(grant: GrantRecord, path: string): ShareLine {
  const { id, subject, role, expiresAt, downloads } = grant;
  const terms = readTerms(grant.terms);
  return {
    id, kind: subject.kind, role, path, expiresAt, downloads,
    whom: subject.kind === 'link' ? terms.label ?? '' : subject.id,
    hasPassword: terms.password !== undefined,
  };
}

function digestOf({ kind, sizeBytes, modifiedAt, checksums }: NodeRecord, path: string): Buffer {
  const said = kind === 'file' ? [path, sizeBytes, modifiedAt, checksums] : [path];
  return createHash('sha256').update(JSON.stringify(said)).digest();
}

/** Addition, so that the order of listing does not matter, and two equal lines do not cancel. */
function addInto(sum: Uint8Array, digest: Uint8Array): void {
  let carry = 0;
  for (let at = 0; at < FINGERPRINT_BYTES; at += 1) {
    carry += (sum[at] ?? 0) + (digest[at] ?? 0);
    sum[at] = carry & 0xff;
    carry >>= 8;
  }
}
