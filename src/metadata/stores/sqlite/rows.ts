/** Rows as SQLite gives them, and how they become records. */
import type { GrantId, NodeId, SpaceId, UserId } from '../../../base/ids.ts';
import { ROLES } from '../../../base/roles.ts';
import type { GrantRecord, MountTarget, Subject } from '../../access-records.ts';
import type { RetentionScope } from '../../retention.ts';
import type { EventKind, EventRecord, Instant, NodeKind, NodeRecord } from '../../records.ts';

/** What stands for "no parent" in the column that is part of a key. */
export const NO_PARENT = 0;

export const KIND_FILE = 0;
export const KIND_FOLDER = 1;
export const KIND_MOUNT = 2;

const KINDS: readonly NodeKind[] = ['file', 'folder', 'mount'];

export function kindOf(code: number): NodeKind {
  return KINDS[code] ?? 'file';
}

export function kindCode(kind: NodeKind): number {
  return KINDS.indexOf(kind);
}

/** An event's kind is stored as its place in this list, so the list only ever grows at its end. */
export const EVENT_KINDS: readonly EventKind[] =
  ['create', 'update', 'move', 'delete', 'restore', 'properties', 'grant', 'revoke'];

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

/** `folder` for a folder, `target` for a mount, neither for a file. */
export function toNodeRecord(
  spaceId: SpaceId, row: NodeRow, folder: FolderFigures | undefined, target?: MountTarget,
): NodeRecord {
  return {
    spaceId, id: row.id,
    parentId: row.parentId === NO_PARENT ? undefined : row.parentId as NodeId,
    name: row.name, kind: kindOf(row.kind),
    sizeBytes: folder?.sizeBytes ?? row.sizeBytes,
    modifiedAt: folder?.changedAt ?? row.modifiedAt,
    createdAt: row.createdAt, mark: folder?.mark ?? row.mark, contentRev: row.contentRev,
    checksums: row.checksums, ...(target !== undefined && { target }),
  };
}

export type TargetTuple = [spaceId: number, nodeId: number];

export function toTarget([spaceId, nodeId]: TargetTuple): MountTarget {
  return { spaceId: spaceId as SpaceId, nodeId: nodeId as NodeId };
}

/** What few events have, so that most of them need no columns for it: JSON in `event.more`. */
interface EventMore {
  grant?: number;
  /** Of a copy from another space: that space, and the content revision of the copies. */
  space?: number;
  as?: number;
}

export function toMore(
  { grantId, copiedFrom }: Pick<EventRecord, 'grantId' | 'copiedFrom'>,
): string | null {
  if (grantId !== undefined) return JSON.stringify({ grant: grantId } satisfies EventMore);
  if (copiedFrom?.spaceId === undefined) return null;
  const { spaceId, contentRev = 0 } = copiedFrom;
  return JSON.stringify({ space: spaceId, as: contentRev } satisfies EventMore);
}

export function fromMore(more: string | null): {
  grantId?: GrantId; origin?: { spaceId: SpaceId; contentRev: number };
} {
  if (more === null) return {};
  const { grant, space, as = 0 } = JSON.parse(more) as EventMore;
  return {
    ...(grant !== undefined && { grantId: grant as GrantId }),
    ...(space !== undefined && { origin: { spaceId: space as SpaceId, contentRev: as } }),
  };
}

export const SUBJECT_KINDS: readonly Subject['kind'][] = ['user', 'group', 'link'];

/** The columns of a grant, as both tables have them, and the downloads counted. */
export const GRANT_COLUMNS = `g.id, g.space_id, g.node_id, g.subject_kind, g.subject, g.role,
  g.is_shown, g.expires_at, g.terms, g.created_by, g.created_at, g.rev_from,
  COALESCE(c.downloads, 0)`;

export type GrantTuple = [
  id: number, spaceId: number, nodeId: number, subjectKind: number, subject: string, role: number,
  isShown: number, expiresAt: number | null, terms: string, createdBy: string, createdAt: number,
  revFrom: number, downloads: number,
];

export function subjectText(subject: Subject): string {
  return subject.kind === 'link' ? subject.tokenHash : subject.id;
}

export function toGrant(tuple: GrantTuple): GrantRecord {
  const [id, spaceId, nodeId, kind, subject, role, isShown, expiresAt, terms, createdBy, createdAt,
    revFrom, downloads] = tuple;
  const subjectKind = SUBJECT_KINDS[kind] ?? 'link';
  return {
    id: id as GrantId, spaceId: spaceId as SpaceId, nodeId: nodeId as NodeId,
    subject: subjectKind === 'link' ? { kind: subjectKind, tokenHash: subject }
      : { kind: subjectKind, id: subject },
    role: ROLES[role] ?? 'none', isShown: isShown === 1, expiresAt: expiresAt ?? undefined, terms,
    createdBy: createdBy as UserId, createdAt, revFrom, downloads,
  };
}

/** The key of a row of `retention`. */
export function retentionKey(scope: RetentionScope): [scope: string, id: string] {
  return [scope.kind, scope.kind === 'space' ? String(scope.spaceId) : scope.tenant];
}
