/** Reads journal and tree in DATA/metadata.db as docs/formats/metadata.md describes them. */
import type Database from 'better-sqlite3';
import type { TenantId } from '../../../../base/ids.ts';
import { prepareTexts, sqliteText } from '../../../../platform/index.ts';
import type {
  JournalEvent, JournalOrigin, JournalSource, JournalSpace, ShownNode,
} from '../../journal-source.ts';
import type { JournalScratch } from '../../journal-scratch.ts';
import { explainedRead, openMetadataReadonly } from './open-metadata-readonly.ts';
import { SqliteJournalScratch } from './sqlite-journal-scratch.ts';

const OP = 'durability/SqliteJournalSource';
const OWNER = 'durability.journal';
const FOLDER = 1;
const MOUNT = 2;

/** Format 1 knows no `more`. */
const eventsSql = (format: number): string => `
SELECT rev, node_id AS nodeId, node_kind AS nodeKind, parent_after AS parentAfter,
  name_after AS nameAfter, content_rev AS contentRev, copied_node AS copiedNode,
  copied_rev AS copiedRev, copied_count AS copiedCount,
  ${format > 1 ? 'more' : 'NULL'} AS more
FROM event WHERE space_id = ? AND rev > ? ORDER BY rev LIMIT ?`;

const MEMBERS = `
SELECT node.id AS id, node.canon AS canon, node.name AS name, node.kind AS kind,
  node.content_rev AS contentRev, node.size_bytes AS nodeBytes, folder.size_bytes AS folderBytes
FROM node LEFT JOIN folder ON folder.space_id = node.space_id AND folder.id = node.id
  AND node.kind = 1
WHERE node.space_id = ? AND node.parent_id = ? AND node.canon > ? ORDER BY node.canon LIMIT ?`;

const AT_COLUMNS = `id, canon, name, kind, content_rev AS contentRev, size_bytes AS nodeBytes,
  NULL AS folderBytes`;
const MEMBERS_AT = `
SELECT ${AT_COLUMNS} FROM node
WHERE space_id = ? AND parent_id = ? AND canon > ? AND rev_from <= ?
UNION ALL
SELECT ${AT_COLUMNS} FROM node_past
WHERE space_id = ? AND parent_id = ? AND canon > ? AND rev_to > ? AND rev_from <= ?
ORDER BY canon LIMIT ?`;

interface EventRow {
  rev: number;
  nodeId: number;
  nodeKind: number;
  parentAfter: number | null;
  nameAfter: string | null;
  contentRev: number;
  copiedNode: number | null;
  copiedRev: number | null;
  copiedCount: number | null;
  /** JSON. */
  more: string | null;
}

interface MemberRow {
  id: number;
  canon: string;
  name: string | null;
  kind: number;
  contentRev: number;
  nodeBytes: number;
  folderBytes: number | null;
}

interface SpaceRow {
  id: number;
  rootId: number;
  rev: number;
  casePolicy: string;
}

export class SqliteJournalSource implements JournalSource {
  readonly #database: Database.Database;
  readonly #sql: ReturnType<typeof prepare>;

  private constructor(database: Database.Database, tenant: TenantId | undefined) {
    this.#database = database;
    this.#sql = prepare(database, tenant);
  }

  /** With `tenant`, its spaces alone.
   *  @throws unavailable, corrupt: it cannot be read; invalid: of a format not known here. */
  static open(file: string, tenant?: TenantId): SqliteJournalSource {
    return new SqliteJournalSource(openMetadataReadonly(file), tenant);
  }

  spaces(): readonly number[] {
    return explainedRead(OP, () => this.#sql.spaces.all());
  }

  space(id: number): JournalSpace | undefined {
    const row = explainedRead(OP, () => this.#sql.space.get(id));
    if (row === undefined) return undefined;
    const casePolicy = row.casePolicy === 'insensitive' ? 'insensitive' : 'sensitive';
    return { ...row, casePolicy };
  }

  events(spaceId: number, afterRev: number, limit: number): readonly JournalEvent[] {
    return explainedRead(OP, () => this.#sql.events.all(spaceId, afterRev, limit).map(eventOf));
  }

  members(
    spaceId: number, page: { folderId: number; afterCanon: string; limit: number },
  ): readonly ShownNode[] {
    const { folderId, afterCanon, limit } = page;
    return explainedRead(OP, () =>
      this.#sql.members.all(spaceId, folderId, afterCanon, limit).map(memberOf));
  }

  membersAt(
    spaceId: number,
    page: { folderId: number; rev: number; afterCanon: string; limit: number },
  ): readonly ShownNode[] {
    const { folderId, rev, afterCanon, limit } = page;
    return explainedRead(OP, () => this.#sql.membersAt.all(
      spaceId, folderId, afterCanon, rev, spaceId, folderId, afterCanon, rev, rev, limit,
    ).map(memberOf));
  }

  pastFloor(spaceId: number): number {
    return explainedRead(OP, () => this.#sql.pastFloor?.get(spaceId)) ?? 0;
  }

  openScratch(): JournalScratch {
    return SqliteJournalScratch.open();
  }

  folderBytes(spaceId: number, folderId: number): number | undefined {
    return explainedRead(OP, () => this.#sql.folderBytes.get(spaceId, folderId));
  }

  close(): void {
    this.#database.close();
  }
}

export function journalTexts(format: number, tenant: TenantId | undefined) {
  return {
    spaces: sqliteText<[], number>(
      `SELECT id FROM space WHERE ${tenant === undefined ? 'TRUE' : `tenant = '${tenant}'`}
       ORDER BY id`, { rowAs: 'value' },
    ),
    space: sqliteText<[number], SpaceRow>(
      `SELECT id, root_id AS rootId, rev, case_policy AS casePolicy FROM space WHERE id = ?`,
    ),
    events: sqliteText<[number, number, number], EventRow>(eventsSql(format)),
    members: sqliteText<[number, number, string, number], MemberRow>(MEMBERS),
    membersAt: sqliteText<[
      number, number, string, number, number, number, string, number, number, number,
    ], MemberRow>(MEMBERS_AT),
    folderBytes: sqliteText<[number, number], number>(
      'SELECT size_bytes FROM folder WHERE space_id = ? AND id = ?', { rowAs: 'value' },
    ),
  };
}

export const PAST_TEXTS = {
  pastFloor: sqliteText<[number], number>(
    'SELECT rev_floor FROM space_past WHERE space_id = ?', { rowAs: 'value' },
  ),
};

function prepare(database: Database.Database, tenant: TenantId | undefined) {
  const format = Number(database.pragma('user_version', { simple: true }));
  return {
    ...prepareTexts(database, OWNER, journalTexts(format, tenant)),
    // Format 1 forgets nothing.
    ...(format > 1 ? prepareTexts(database, OWNER, PAST_TEXTS) : { pastFloor: undefined }),
  };
}

function eventOf(row: EventRow): JournalEvent {
  const { rev, nodeId, contentRev, copiedNode, copiedRev, copiedCount } = row;
  const isCopy = copiedNode !== null && copiedRev !== null && copiedCount !== null;
  return {
    rev, nodeId, contentRev,
    isFolder: row.nodeKind === FOLDER,
    isMount: row.nodeKind === MOUNT,
    parentAfter: row.parentAfter ?? undefined,
    nameAfter: row.nameAfter ?? undefined,
    copiedFrom: isCopy ? {
      nodeId: copiedNode, rev: copiedRev, count: copiedCount, across: acrossOf(row.more),
    } : undefined,
  };
}

/** Of a copy from another space. */
function acrossOf(more: string | null): JournalOrigin['across'] {
  const { space, as } = JSON.parse(more ?? '{}') as Partial<Record<'space' | 'as', unknown>>;
  if (typeof space !== 'number' || typeof as !== 'number') return undefined;
  return { spaceId: space, contentRev: as };
}

function memberOf({ id, canon, name, kind, contentRev, nodeBytes, folderBytes }: MemberRow):
ShownNode {
  const isFolder = kind === FOLDER;
  const sizeBytes = isFolder ? (folderBytes ?? 0) : nodeBytes;
  return { id, canon, name: name ?? canon, isFolder, contentRev, sizeBytes };
}
