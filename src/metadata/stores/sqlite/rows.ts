/** Rows as SQLite gives them, and how they become records. */
import type { NodeId, SpaceId } from '../../../base/ids.ts';
import type { EventKind, Instant, NodeKind, NodeRecord } from '../../records.ts';

/** What stands for "no parent" in the column that is part of a key. */
export const NO_PARENT = 0;

export const KIND_FILE = 0;
export const KIND_FOLDER = 1;

export function kindOf(code: number): NodeKind {
  return code === KIND_FOLDER ? 'folder' : 'file';
}

export function kindCode(kind: NodeKind): number {
  return kind === 'folder' ? KIND_FOLDER : KIND_FILE;
}

/** An event's kind is stored as its place in this list, so the list only ever grows at its end. */
export const EVENT_KINDS: readonly EventKind[] =
  ['create', 'update', 'move', 'delete', 'restore', 'properties'];

export type NodeTuple = [
  id: number, parentId: number, canon: string, name: string | null, kind: number, sizeBytes: number,
  modifiedAt: number, createdAt: number, mark: number, contentRev: number, checksums: string,
];

export interface NodeRow {
  id: NodeId;
  parentId: number;
  canon: string;
  name: string;
  kind: number;
  /** 0 for folders, as are time, mark and revision: those stand in the folder's own row. */
  sizeBytes: number;
  modifiedAt: Instant;
  createdAt: Instant;
  mark: number;
  contentRev: number;
  checksums: string;
}

/** A name is stored only where it differs from its canonical form. */
export function storedName(name: string, canon: string): string | null {
  return name === canon ? null : name;
}

export function toNodeRow(tuple: NodeTuple): NodeRow {
  const [id, parentId, canon, name, kind, sizeBytes, modifiedAt, createdAt, mark, contentRev,
    checksums] = tuple;
  return {
    id: id as NodeId, parentId, canon, name: name ?? canon, kind, sizeBytes, modifiedAt, createdAt,
    mark, contentRev, checksums,
  };
}

export interface FolderFigures {
  mark: number;
  sizeBytes: number;
  changedAt: Instant;
}

/** `folder` for a folder, undefined for a file. */
export function toNodeRecord(
  spaceId: SpaceId, row: NodeRow, folder: FolderFigures | undefined,
): NodeRecord {
  return {
    spaceId, id: row.id,
    parentId: row.parentId === NO_PARENT ? undefined : row.parentId as NodeId,
    name: row.name, kind: kindOf(row.kind),
    sizeBytes: folder?.sizeBytes ?? row.sizeBytes,
    modifiedAt: folder?.changedAt ?? row.modifiedAt,
    createdAt: row.createdAt, mark: folder?.mark ?? row.mark, contentRev: row.contentRev,
    checksums: row.checksums,
  };
}
