/** Reads quarantines and what they hold. */
import type { NodeId, SpaceId, UserId } from '../../../../base/ids.ts';
import type {
  HeldRecord, OlderFilesBounds, QuarantineRecord, QuarantineState,
} from '../../../holds.ts';
import type { ManifestRecord, VersionRecord } from '../../../records.ts';
import { kindOf } from '../rows.ts';
import type { ReadStatements } from './read-statements.ts';

type QuarantineTuple = [
  id: number, spaceId: number, user: string, deviceKey: string, device: string, state: string,
  openedAt: number, openedRev: number, viewRev: number, heldCount: number, heldBytes: number,
  batchId: number | null, decidedBy: string | null, decidedAt: number | null,
];
type HeldTuple = [
  id: number, quarantineId: number, nodeId: number, kind: string, nodeKind: number,
  parentId: number, name: string, baseRev: number, baseContentRev: number, heldAt: number,
  sizeBytes: number, modifiedAt: number, checksums: string,
];
type ContentTuple = [
  sizeBytes: number, modifiedAt: number, checksums: string, manifest: Uint8Array, heldAt: number,
  user: string,
];

export class HoldReader {
  readonly #reads: ReadStatements;

  constructor(reads: ReadStatements) {
    this.#reads = reads;
  }

  find(id: number): QuarantineRecord | undefined {
    const row = this.#reads.findQuarantine.get(id) as QuarantineTuple | undefined;
    return row && toQuarantine(row);
  }

  list(state: QuarantineState | undefined, limit: number, before: number): QuarantineRecord[] {
    const rows = state === undefined ? this.#reads.listQuarantines.all(before, limit)
      : this.#reads.listQuarantinesIn.all(state, before, limit);
    return (rows as QuarantineTuple[]).map(toQuarantine);
  }

  listHeld(quarantineId: number, limit: number, after: number): HeldRecord[] {
    const rows = this.#reads.listHeld.all(quarantineId, after, limit) as HeldTuple[];
    return rows.map(toHeld);
  }

  countOlderFiles(
    space: SpaceId, folder: NodeId,
    { contentRev: rev, countMax: count, rowsMax: rows }: OlderFilesBounds,
  ): number {
    const found = this.#reads.countOlderFiles.get({ space, folder, rev, count, rows }) as [number];
    return found[0];
  }

  /** `contentRev` as heldContentRev made it. */
  findContent(spaceId: SpaceId, nodeId: NodeId, contentRev: number): VersionRecord | undefined {
    const row = this.#reads.getHeldContent.get(-contentRev, nodeId, spaceId) as
      ContentTuple | undefined;
    if (row === undefined) return undefined;
    const [sizeBytes, modifiedAt, checksums, manifest, savedAt, user] = row;
    return {
      spaceId, nodeId, contentRev, sizeBytes, modifiedAt, checksums, savedAt,
      manifest: bytesOf(manifest), savedBy: user as UserId,
    };
  }

  listManifests(limit: number, after: number): ManifestRecord[] {
    const rows = this.#reads.listHeldManifests.all(after, limit) as [number, Uint8Array][];
    return rows.map(([heldId, manifest]) =>
      ({ place: { kind: 'held', heldId }, manifest: bytesOf(manifest) }));
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function toQuarantine(row: QuarantineTuple): QuarantineRecord {
  const [id, spaceId, user, deviceKey, device, state, openedAt, openedRev, viewRev, heldCount,
    heldBytes, batchId, decidedBy, decidedAt] = row;
  return {
    id, spaceId: spaceId as SpaceId, user: user as UserId, deviceKey, device,
    state: state as QuarantineState, openedAt, openedRev, viewRev, heldCount, heldBytes,
    batchId: batchId ?? undefined, decidedBy: (decidedBy ?? undefined) as UserId | undefined,
    decidedAt: decidedAt ?? undefined,
  };
}

function toHeld(row: HeldTuple): HeldRecord {
  const [id, quarantineId, nodeId, kind, nodeKind, parentId, name, baseRev, baseContentRev, heldAt,
    sizeBytes, modifiedAt, checksums] = row;
  return {
    id, quarantineId, nodeId: nodeId as NodeId, kind: kind as HeldRecord['kind'],
    nodeKind: kindOf(nodeKind), parentId: parentId as NodeId, name, baseRev, baseContentRev, heldAt,
    sizeBytes, modifiedAt, checksums,
  };
}

