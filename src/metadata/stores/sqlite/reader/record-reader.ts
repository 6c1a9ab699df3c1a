/** Reads whole records: each method is one statement, and so one snapshot. */
import type { NodeId, SpaceId, TenantId, UserId } from '../../../../base/ids.ts';
import type { CasePolicy } from '../../../../base/names.ts';
import type { Witness } from '../../../../base/witness.ts';
import type {
  CopyOrigin, DeadProperty, EventRecord, Instant, LockRecord, ManifestPlace, ManifestRecord,
  SpaceRecord, TrashRecord, UploadPartRecord, UploadRecord, VersionRecord,
} from '../../../records.ts';
import { EVENT_KINDS, fromMore, kindOf } from '../rows.ts';
import { HoldReader } from './hold-reader.ts';
import type { ReadStatements } from './read-statements.ts';

type Nullable<T> = T | null;

export type SpaceTuple = [
  id: number, tenant: string, kind: SpaceRecord['kind'], name: string, owner: Nullable<string>,
  rootId: number, rev: number, accessRev: number, casePolicy: CasePolicy,
  quotaBytes: Nullable<number>, usedBytes: number, createdAt: number,
];
type VersionTuple = [
  contentRev: number, sizeBytes: number, modifiedAt: number, checksums: string,
  manifest: Uint8Array,
  savedAt: number, savedBy: string,
];
type EventTuple = [
  rev: number, kind: number, nodeId: number, nodeKind: number, parentBefore: Nullable<number>,
  parentAfter: Nullable<number>, nameBefore: Nullable<string>, nameAfter: Nullable<string>,
  contentRev: number, by: string, device: string, at: number, copiedNode: Nullable<number>,
  copiedRev: Nullable<number>, copiedCount: Nullable<number>, batchId: Nullable<number>,
  more: Nullable<string>, from: Nullable<string>,
];
type TrashTuple = [
  deletedRev: number, nodeId: number, parentId: number, name: string, kind: number,
  sizeBytes: number, deletedAt: number, deletedBy: string,
];
export type LockTuple = [
  token: string, nodeId: number, scope: string, depth: string, ownerXml: string, holder: string,
  expiresAt: number,
];
type UploadTuple = [
  totalBytes: Nullable<number>, createdAt: number, expiresAt: number, space: Nullable<number>,
  node: Nullable<number>, mark: Nullable<number>, created: Nullable<number>,
];

export class RecordReader {
  readonly #reads: ReadStatements;
  readonly holds: HoldReader;

  constructor(reads: ReadStatements) {
    this.#reads = reads;
    this.holds = new HoldReader(reads);
  }

  findSpace(id: SpaceId): SpaceRecord | undefined {
    const row = this.#reads.getSpace.get(id) as SpaceTuple | undefined;
    return row && toSpace(row);
  }

  listSpaces(after: number, limit: number): SpaceRecord[] {
    return (this.#reads.listSpaces.all(after, limit) as SpaceTuple[]).map(toSpace);
  }

  findSpaceOf(owner: UserId): SpaceRecord | undefined {
    const row = this.#reads.findSpaceByOwner.get(owner) as [SpaceId] | undefined;
    return row && this.findSpace(row[0]);
  }

  hasSpace(id: SpaceId): boolean {
    return this.#reads.getRoot.get(id) !== undefined;
  }

  listProperties(spaceId: SpaceId, nodeId: NodeId): DeadProperty[] {
    const rows = this.#reads.listProperties.all(spaceId, nodeId) as [string, string, string][];
    return rows.map(([namespace, name, xml]) => ({ namespace, name, xml }));
  }

  #version(spaceId: SpaceId, nodeId: NodeId, row: VersionTuple): VersionRecord {
    const [contentRev, sizeBytes, modifiedAt, checksums, manifest, savedAt, savedBy] = row;
    return {
      spaceId, nodeId, contentRev, sizeBytes, modifiedAt, checksums,
      manifest: new Uint8Array(manifest.buffer, manifest.byteOffset, manifest.byteLength),
      savedAt, savedBy: savedBy as UserId,
    };
  }

  findVersion(spaceId: SpaceId, nodeId: NodeId, contentRev: number): VersionRecord | undefined {
    if (contentRev < 0) return this.holds.findContent(spaceId, nodeId, contentRev);
    const row = this.#reads.getVersion.get(spaceId, nodeId, contentRev) as
      VersionTuple | undefined;
    return row && this.#version(spaceId, nodeId, row);
  }

  listVersions(spaceId: SpaceId, nodeId: NodeId): VersionRecord[] {
    const rows = this.#reads.listVersions.all(spaceId, nodeId) as VersionTuple[];
    return rows.map((row) => this.#version(spaceId, nodeId, row));
  }

  listEvents(spaceId: SpaceId, afterRev: number, limit: number): EventRecord[] {
    const rows = this.#reads.listEvents.all(spaceId, afterRev, limit) as EventTuple[];
    return rows.map((row) => toEvent(spaceId, row));
  }

  listTrash(spaceId: SpaceId, beforeRev: number, limit: number): TrashRecord[] {
    const rows = this.#reads.listTrash.all(spaceId, beforeRev, limit) as TrashTuple[];
    return rows.map((row) => {
      const [deletedRev, nodeId, parentId, name, kind, sizeBytes, deletedAt, deletedBy] = row;
      return {
        spaceId, nodeId: nodeId as NodeId, deletedRev, kind: kindOf(kind), name,
        parentId: parentId as NodeId, sizeBytes, deletedAt, deletedBy: deletedBy as UserId,
      };
    });
  }

  listLocks(spaceId: SpaceId, at: Instant): LockRecord[] {
    const rows = this.#reads.listLocks.all(spaceId, at) as LockTuple[];
    return rows.map((row) => toLock(spaceId, row));
  }

  findUpload(owner: UserId, uploadId: string): UploadRecord | undefined {
    const row = this.#reads.findUpload.get(owner, uploadId) as UploadTuple | undefined;
    if (row === undefined) return undefined;
    const [totalBytes, createdAt, expiresAt, spaceId, nodeId, mark, created] = row;
    const result = spaceId === null ? undefined : {
      spaceId: spaceId as SpaceId, nodeId: nodeId as NodeId, mark: mark ?? 0,
      created: created === 1,
    };
    return { owner, uploadId, totalBytes: totalBytes ?? undefined, createdAt, expiresAt, result };
  }

  listParts(owner: UserId, uploadId: string): UploadPartRecord[] {
    const rows = this.#reads.listParts.all(owner, uploadId) as
      [number, string, number, Uint8Array][];
    return rows.map(([number, name, sizeBytes, manifest]) => ({
      number, name, sizeBytes,
      manifest: new Uint8Array(manifest.buffer, manifest.byteOffset, manifest.byteLength),
    }));
  }

  /** See MetadataStore: parts first, then what is held, and versions once there is no more. */
  listManifests(limit: number, after: ManifestPlace | undefined): ManifestRecord[] {
    if (after === undefined || after.kind === 'part') {
      const { owner = '', uploadId = '', number = -1 } = after ?? {};
      const parts = this.#reads.listPartManifests.all(owner, uploadId, number, limit) as
        [string, string, number, Uint8Array][];
      if (parts.length > 0) return parts.map(toPartManifest);
    }
    if (after?.kind !== 'version') {
      const held = this.holds.listManifests(limit, after?.kind === 'held' ? after.heldId : 0);
      if (held.length > 0) return held;
    }
    const { spaceId = 0, nodeId = 0, contentRev = 0 } = after?.kind === 'version' ? after : {};
    const versions = this.#reads.listVersionManifests.all(spaceId, nodeId, contentRev, limit) as
      [number, number, number, Uint8Array][];
    return versions.map(toVersionManifest);
  }

  listWitness(): Witness {
    return this.#reads.listWitness.all() as [number, number][];
  }
}

export function toLock(spaceId: SpaceId, row: LockTuple): LockRecord {
  const [token, nodeId, scope, depth, ownerXml, holder, expiresAt] = row;
  return {
    token, spaceId, nodeId: nodeId as NodeId, scope: scope as LockRecord['scope'],
    depth: depth as LockRecord['depth'], ownerXml, holder: holder as UserId, expiresAt,
  };
}

export function toSpace(row: SpaceTuple): SpaceRecord {
  const [id, tenant, kind, name, owner, rootId, rev, accessRev, casePolicy, quotaBytes, usedBytes,
    createdAt] = row;
  return {
    id: id as SpaceId, tenant: tenant as TenantId, kind, name,
    owner: (owner ?? undefined) as UserId | undefined, rootId: rootId as NodeId, rev, accessRev,
    casePolicy, quotaBytes: quotaBytes ?? undefined, usedBytes, createdAt,
  };
}

function toPartManifest(
  [owner, uploadId, number, bytes]: [string, string, number, Uint8Array],
): ManifestRecord {
  const place = { kind: 'part' as const, owner: owner as UserId, uploadId, number };
  return { place, manifest: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function toVersionManifest(
  [spaceId, nodeId, contentRev, bytes]: [number, number, number, Uint8Array],
): ManifestRecord {
  const place = {
    kind: 'version' as const, spaceId: spaceId as SpaceId, nodeId: nodeId as NodeId, contentRev,
  };
  return { place, manifest: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

function toEvent(spaceId: SpaceId, row: EventTuple): EventRecord {
  const [rev, kind, nodeId, nodeKind, parentBefore, parentAfter, nameBefore, nameAfter, contentRev,
    by, device, at, copiedNode, copiedRev, copiedCount, batchId, more, from] = row;
  const { grantId, origin } = fromMore(more);
  const copiedFrom: CopyOrigin | undefined = copiedNode === null ? undefined
    : { nodeId: copiedNode as NodeId, rev: copiedRev ?? 0, nodeCount: copiedCount ?? 0, ...origin };
  return {
    spaceId, rev, kind: EVENT_KINDS[kind] ?? 'update', nodeId: nodeId as NodeId,
    nodeKind: kindOf(nodeKind),
    parentBefore: (parentBefore ?? undefined) as NodeId | undefined,
    parentAfter: (parentAfter ?? undefined) as NodeId | undefined,
    nameBefore: nameBefore ?? undefined, nameAfter: nameAfter ?? undefined, contentRev,
    by: by as UserId, device, at, ...(copiedFrom !== undefined && { copiedFrom }),
    ...(from !== null && { from }), ...(batchId !== null && { batchId }),
    ...(grantId !== undefined && { grantId }),
  };
}
