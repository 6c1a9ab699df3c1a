/**
 * The SQL of the writer: the shared table of statements, and what MariaDB has to be told in other
 * words. `PLACES` says which rows the frequent ones touch, so that they can wait for each other or
 * go together: see write-queue.ts. What is not listed there touches its tables as a whole.
 */
import { namedTable } from '../../../../platform/mariadb/index.ts';
import type { SqlValue, TableOwner } from '../../../../platform/mariadb/index.ts';
import { TABLE_KEYS } from '../schema.ts';
import { WRITER_ROWS, WRITER_SQL } from '../../sqlite/statements.ts';
import type { StatementName } from '../../sqlite/statements.ts';

const OTHER_WORDS: Partial<Record<StatementName, string>> = {
  begin: 'BEGIN',

  insertProperty: `INSERT INTO property (space_id, node_id, namespace, name, xml, digest)
    VALUES (?1, ?2, ?3, ?4, ?5, UNHEX(SHA2(CONCAT(?3, CHAR(0), ?4), 256)))`,
  copyProperties: `INSERT INTO property (space_id, node_id, namespace, name, xml, digest)
    SELECT ?, ?, namespace, name, xml, digest FROM property WHERE space_id = ? AND node_id = ?`,
  /** Of the writer whose turn it is. */
  insertCopyJob: `INSERT INTO copy_job (first_id, space_id, node_count, writer)
    SELECT ?, ?, ?, writer FROM writer_turn WHERE id = 1`,
  /** A writer that was heard of lately is at work on its copies itself. */
  listCopyJobs: `SELECT j.first_id, j.space_id, j.node_count
    FROM copy_job j LEFT JOIN writer w ON w.id = j.writer
    WHERE w.id IS NULL OR w.seen_s < UNIX_TIMESTAMP() - 600 ORDER BY j.first_id`,
  /** Written in one statement with others of its kind; the row is always there. */
  updateFolder: `INSERT INTO folder (mark, size_bytes, changed_at, space_id, id)
    VALUES (?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE
    mark = VALUES(mark), size_bytes = VALUES(size_bytes), changed_at = VALUES(changed_at)`,
};

export const WRITER_OWNER: TableOwner<StatementName> = {
  owner: 'metadata.writer', tables: TABLE_KEYS, rows: WRITER_ROWS,
};

export const WRITER_STATEMENTS =
  namedTable<StatementName>({ ...WRITER_SQL, ...OTHER_WORDS }, WRITER_OWNER);

/** Those whose count of rows somebody wants to know: they cannot wait. */
export const COUNTED: ReadonlySet<StatementName> = new Set<StatementName>([
  'deleteVersions', 'deleteClosedRows', 'deleteProperties', 'deleteGrantsAt', 'dropTrash',
  'deleteVersion', 'deleteCopyJob',
]);

/** Those of which only the last counts, when there are several for one row. */
export const LAST_COUNTS: ReadonlySet<StatementName> = new Set<StatementName>([
  'setMeta', 'updateAccessRev',
]);

/** What a read would answer after a write that still waits. */
export const WRITTEN_THROUGH: Partial<Record<StatementName, (values: readonly SqlValue[]) => {
  name: StatementName; values: SqlValue[]; rows: SqlValue[][];
}>> = {
  setMeta: ([value = null, name = null]) => ({ name: 'getMeta', values: [name], rows: [[value]] }),
};

/** Whose space a space is never changes: so this is read past all writes of spaces but new ones. */
export const TABLES_TOUCHED: Partial<Record<StatementName, readonly string[]>> = {
  findSpaceByOwner: ['space_owner'],
  insertSpace: ['space', 'space_owner'],
  insertTeamSpace: ['space', 'space_owner'],
};

/** A row by its table and key. A node has two keys: its id, and its place in a folder. */
export type RowKey = string;

export function placeKey(spaceId: SqlValue, parentId: SqlValue, canon: SqlValue): RowKey {
  return `node place ${String(spaceId)}/${String(parentId)}/${String(canon)}`;
}

export function idKey(spaceId: SqlValue, id: SqlValue): RowKey {
  return `node id ${String(spaceId)}/${String(id)}`;
}

function rowOf(table: string, ...key: readonly (SqlValue | undefined)[]): RowKey {
  return `${table} key ${key.map(String).join('/')}`;
}

function grantAt(...key: readonly (SqlValue | undefined)[]): RowKey {
  return `access_grant at ${key.map(String).join('/')}`;
}

type V = readonly SqlValue[];
type Places = (values: V) => RowKey[];

function placeAt(first: number): Places {
  return (v) => [placeKey(v[first] ?? null, v[first + 1] ?? null, v[first + 2] ?? null)];
}

/** Keys of all rows that a statement touches in those tables that the keys are of. */
export const PLACES: Partial<Record<StatementName, Places>> = {
  getNode: (v) => [idKey(v[0] ?? null, v[1] ?? null)],
  getParent: (v) => [idKey(v[0] ?? null, v[1] ?? null)],
  getContentRev: (v) => [idKey(v[0] ?? null, v[1] ?? null)],
  getChild: placeAt(0),
  insertNode: (v) => [...placeAt(0)(v), idKey(v[0] ?? null, v[3] ?? null)],
  updateContent: placeAt(7),
  updateTimes: placeAt(4),
  updateChecksums: placeAt(1),
  updatePlace: (v) => [placeKey(v[4] ?? null, v[0] ?? null, v[1] ?? null), ...placeAt(4)(v)],
  deleteNode: placeAt(0),
  closeNode: placeAt(1),

  getFolder: (v) => [rowOf('folder', v[0], v[1])],
  insertFolder: (v) => [rowOf('folder', v[0], v[1])],
  updateFolder: (v) => [rowOf('folder', v[3], v[4])],
  getMeta: (v) => [rowOf('meta', v[0])],
  setMeta: (v) => [rowOf('meta', v[1])],
  updateAccessRev: (v) => [rowOf('space', v[1])],
  insertGrant: (v) => [rowOf('access_grant', 'id', v[0]), grantAt(v[1], v[2], v[3], v[4]),
    `access_grant subject ${String(v[3])}/${String(v[4])}`],
  getGrant: (v) => [rowOf('access_grant', 'id', v[0]), rowOf('grant_count', v[0])],
  findGrantAt: (v) => [grantAt(v[0], v[1], v[2], v[3])],
  findGrantOf: (v) => [`access_grant subject ${String(v[0])}/${String(v[1])}`],
  getGrantCount: (v) => [rowOf('grant_count', v[0])],
  insertGrantCount: (v) => [rowOf('grant_count', v[0])],
  updateGrantCount: (v) => [rowOf('grant_count', v[1])],

  getSpace: (v) => [rowOf('space', v[0])],
  updateSpaceRev: (v) => [rowOf('space', v[2])],

  insertEvent: (v) => [rowOf('event', v[0], v[1])],
  /** Asked before anything is written to the space: no row that waits is the one. */
  getLastEventTime: (v) => [rowOf('event', v[0], 'last')],
  insertVersion: (v) => [rowOf('version', v[0], v[1], v[2])],
  getManifest: (v) => [rowOf('version', v[0], v[1], v[2])],
  updateVersionTime: (v) => [rowOf('version', v[1], v[2], v[3])],
  updateVersionChecksums: (v) => [rowOf('version', v[1], v[2], v[3])],
  copyVersion: (v) => [rowOf('version', v[0], v[1], v[2]), rowOf('version', v[3], v[4], v[5])],
  insertTrash: (v) => [rowOf('trash', v[0], v[1])],
  getTrash: (v) => [rowOf('trash', v[0], v[1])],
  deleteTrash: (v) => [rowOf('trash', v[0], v[1])],
};
