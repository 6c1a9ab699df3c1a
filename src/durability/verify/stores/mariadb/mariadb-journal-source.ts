/** Reads journal and tree on MariaDB as docs/formats/metadata.md describes them. */
import type { TenantId } from '../../../../base/ids.ts';
import type { Clock } from '../../../../platform/index.ts';
import { namedTable } from '../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../platform/mariadb/index.ts';
import type {
  JournalEvent, JournalOrigin, JournalSource, JournalSpace, ShownNode,
} from '../../journal-source.ts';
import type { JournalScratch } from '../../journal-scratch.ts';
import { SqliteJournalScratch } from '../sqlite/sqlite-journal-scratch.ts';
import { MetadataReads, VERIFY_OWNER } from './metadata-reads.ts';

const FOLDER = 1;
const MOUNT = 2;

const AT_COLUMNS = 'id, canon, name, kind, content_rev, size_bytes, NULL AS folder_bytes';

const SQL = namedTable({
  verifySpaces: 'SELECT id FROM space ORDER BY id',
  verifySpacesOf: 'SELECT id FROM space WHERE tenant = ? ORDER BY id',
  verifySpace: 'SELECT id, root_id, rev, case_policy FROM space WHERE id = ?',
  verifyEvents: `SELECT rev, node_id, node_kind, parent_after, name_after, content_rev, copied_node,
      copied_rev, copied_count, more
    FROM event WHERE space_id = ? AND rev > ? ORDER BY rev LIMIT ?`,
  verifyMembers: `SELECT n.id, n.canon, n.name, n.kind, n.content_rev, n.size_bytes, f.size_bytes
    FROM node n LEFT JOIN folder f ON f.space_id = n.space_id AND f.id = n.id AND n.kind = 1
    WHERE n.space_id = ? AND n.parent_id = ? AND n.canon > ? ORDER BY n.canon LIMIT ?`,
  // Each half by itself gives no more than the whole needs.
  verifyMembersAt: `SELECT ${AT_COLUMNS} FROM (
      SELECT id, canon, name, kind, content_rev, size_bytes FROM node
        WHERE space_id = ?1 AND parent_id = ?2 AND canon > ?3 AND rev_from <= ?4
        ORDER BY canon LIMIT ?5) live
    UNION ALL SELECT ${AT_COLUMNS} FROM (
      SELECT id, canon, name, kind, content_rev, size_bytes FROM node_past
        WHERE space_id = ?1 AND parent_id = ?2 AND canon > ?3 AND rev_to > ?4 AND rev_from <= ?4
        ORDER BY canon LIMIT ?5) past
    ORDER BY canon LIMIT ?5`,
  verifyPastFloor: 'SELECT rev_floor FROM space_past WHERE space_id = ?',
  verifyFolderBytes: 'SELECT size_bytes FROM folder WHERE space_id = ? AND id = ?',
}, VERIFY_OWNER);

type SpaceRow = [id: number, rootId: number, rev: number, casePolicy: string];
type EventRow = [
  rev: number, nodeId: number, nodeKind: number, parentAfter: number | null,
  nameAfter: string | null, contentRev: number, copiedNode: number | null,
  copiedRev: number | null, copiedCount: number | null, more: string | null,
];
type MemberRow = [
  id: number, canon: string, name: string | null, kind: number, contentRev: number,
  nodeBytes: number, folderBytes: number | null,
];

export class MariadbJournalSource implements JournalSource {
  readonly #reads: MetadataReads;
  readonly #tenant: TenantId | undefined;

  /** With `tenant`, its spaces alone. Connects with the first question. */
  constructor(address: ServerAddress, clock: Clock, tenant?: TenantId) {
    this.#reads = new MetadataReads(address, clock);
    this.#tenant = tenant;
  }

  async spaces(): Promise<readonly number[]> {
    const rows = this.#tenant === undefined ? await this.#reads.rows(SQL.verifySpaces)
      : await this.#reads.rows(SQL.verifySpacesOf, this.#tenant);
    return rows.map(([id]) => id as number);
  }

  async space(id: number): Promise<JournalSpace | undefined> {
    const [row] = await this.#reads.rows(SQL.verifySpace, id) as SpaceRow[];
    if (row === undefined) return undefined;
    const [, rootId, rev, policy] = row;
    return { id, rootId, rev, casePolicy: policy === 'insensitive' ? policy : 'sensitive' };
  }

  async events(
    spaceId: number, afterRev: number, limit: number,
  ): Promise<readonly JournalEvent[]> {
    const rows = await this.#reads.rows(SQL.verifyEvents, spaceId, afterRev, limit);
    return (rows as EventRow[]).map(eventOf);
  }

  async members(
    spaceId: number, page: { folderId: number; afterCanon: string; limit: number },
  ): Promise<readonly ShownNode[]> {
    const { folderId, afterCanon, limit } = page;
    const rows = await this.#reads.rows(SQL.verifyMembers, spaceId, folderId, afterCanon, limit);
    return (rows as MemberRow[]).map(memberOf);
  }

  async membersAt(
    spaceId: number,
    page: { folderId: number; rev: number; afterCanon: string; limit: number },
  ): Promise<readonly ShownNode[]> {
    const { folderId, rev, afterCanon, limit } = page;
    const rows = await this.#reads.rows(
      SQL.verifyMembersAt, spaceId, folderId, afterCanon, rev, limit);
    return (rows as MemberRow[]).map(memberOf);
  }

  async pastFloor(spaceId: number): Promise<number> {
    const [row] = await this.#reads.rows(SQL.verifyPastFloor, spaceId) as [number][];
    return row?.[0] ?? 0;
  }

  openScratch(): JournalScratch {
    return SqliteJournalScratch.open();
  }

  async folderBytes(spaceId: number, folderId: number): Promise<number | undefined> {
    const [row] = await this.#reads.rows(SQL.verifyFolderBytes, spaceId, folderId) as [number][];
    return row?.[0];
  }

  async close(): Promise<void> {
    await this.#reads.close();
  }
}

function eventOf([
  rev, nodeId, nodeKind, parentAfter, nameAfter, contentRev, copiedNode, copiedRev, copiedCount,
  more,
]: EventRow): JournalEvent {
  const isCopy = copiedNode !== null && copiedRev !== null && copiedCount !== null;
  return {
    rev, nodeId, contentRev,
    isFolder: nodeKind === FOLDER,
    isMount: nodeKind === MOUNT,
    parentAfter: parentAfter ?? undefined,
    nameAfter: nameAfter ?? undefined,
    copiedFrom: isCopy ? {
      nodeId: copiedNode, rev: copiedRev, count: copiedCount, across: acrossOf(more),
    } : undefined,
  };
}

/** Of a copy from another space. */
function acrossOf(more: string | null): JournalOrigin['across'] {
  const { space, as } = JSON.parse(more ?? '{}') as Partial<Record<'space' | 'as', unknown>>;
  if (typeof space !== 'number' || typeof as !== 'number') return undefined;
  return { spaceId: space, contentRev: as };
}

function memberOf(
  [id, canon, name, kind, contentRev, nodeBytes, folderBytes]: MemberRow,
): ShownNode {
  const isFolder = kind === FOLDER;
  const sizeBytes = isFolder ? (folderBytes ?? 0) : nodeBytes;
  return { id, canon, name: name ?? canon, isFolder, contentRev, sizeBytes };
}
