/** The SQL of the writer, by name. Portable on purpose: MariaDB runs the same statements. */
import { countedStatement } from '../../../platform/index.ts';
import { GRANTS_PER_SPACE_MAX } from '../../access-changes.ts';
import { UPLOAD_PARTS_MAX } from '../../changes.ts';
import type { Connection } from './connection.ts';
import { ACCESS_WRITES } from './access-writes.ts';
import { WINDOW_SQL } from './as-of-window.ts';
import { HOLD_WRITES } from './hold-writes.ts';
import { PAST_WRITES } from './past-writes.ts';

const NODE = `id, parent_id, canon, name, kind, size_bytes, modified_at, created_at, mark,
  content_rev, checksums`;
const PAST = `space_id, parent_id, rev_to, id, canon, name, kind, size_bytes, modified_at,
  created_at, mark, content_rev, checksums, rev_from`;

export const WRITER_SQL = {
  listAway: `SELECT tenant, state FROM placement WHERE state <> 'home'`,

  getMeta: 'SELECT value FROM meta WHERE name = ?',
  setMeta: 'UPDATE meta SET value = ? WHERE name = ?',

  getSpace: `SELECT tenant, root_id, rev, folders_rev, case_policy, quota_bytes
    FROM space WHERE id = ?`,
  findSpaceByOwner: 'SELECT tenant FROM space WHERE owner = ?',
  insertSpace: `INSERT INTO space
    (id, tenant, kind, name, owner, root_id, rev, folders_rev, access_rev, case_policy, quota_bytes,
     created_at) VALUES (?, ?, 'personal', '', ?, ?, 0, 0, 0, ?, ?, ?)`,
  updateSpaceRev: 'UPDATE space SET rev = ?, folders_rev = ? WHERE id = ?',
  updateSpaceQuota: 'UPDATE space SET quota_bytes = ? WHERE id = ?',

  getNode: `SELECT ${NODE} FROM node WHERE space_id = ? AND id = ?`,
  getChild: `SELECT ${NODE} FROM node WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  getParent: 'SELECT parent_id FROM node WHERE space_id = ? AND id = ?',
  insertNode: `INSERT INTO node
    (space_id, parent_id, canon, id, name, kind, size_bytes, modified_at, created_at, mark,
     content_rev, checksums, rev_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  updateContent: `UPDATE node SET size_bytes = ?, modified_at = ?, created_at = ?, mark = ?,
    content_rev = ?, checksums = ?, rev_from = ?
    WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  updateTimes: `UPDATE node SET modified_at = ?, created_at = ?, mark = ?, rev_from = ?
    WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  updateChecksums: `UPDATE node SET checksums = ?
    WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  updatePlace: `UPDATE node SET parent_id = ?, canon = ?, name = ?, rev_from = ?
    WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  deleteNode: 'DELETE FROM node WHERE space_id = ? AND parent_id = ? AND canon = ?',
  closeNode: `INSERT INTO node_past (${PAST})
    SELECT space_id, parent_id, ?, id, canon, name, kind, size_bytes, modified_at, created_at,
      mark, content_rev, checksums, rev_from
    FROM node WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  reviveNode: `INSERT INTO node
    (space_id, parent_id, canon, id, name, kind, size_bytes, modified_at, created_at, mark,
     content_rev, checksums, rev_from)
    SELECT space_id, ?, ?, id, ?, kind, size_bytes, modified_at, created_at, mark, content_rev,
      checksums, ?
    FROM node_past WHERE space_id = ? AND id = ? AND rev_to BETWEEN ? AND ?`,

  getFolder: 'SELECT mark, size_bytes, changed_at FROM folder WHERE space_id = ? AND id = ?',
  insertFolder: `INSERT INTO folder (space_id, id, mark, size_bytes, changed_at)
    VALUES (?, ?, ?, ?, ?)`,
  updateFolder: `UPDATE folder SET mark = ?, size_bytes = ?, changed_at = ?
    WHERE space_id = ? AND id = ?`,

  insertVersion: `INSERT INTO version
    (space_id, node_id, content_rev, size_bytes, modified_at, checksums, manifest, saved_at,
     saved_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  updateVersionTime: `UPDATE version SET modified_at = ?
    WHERE space_id = ? AND node_id = ? AND content_rev = ?`,
  updateVersionChecksums: `UPDATE version SET checksums = ?
    WHERE space_id = ? AND node_id = ? AND content_rev = ?`,

  insertEvent: `INSERT INTO event
    (space_id, rev, kind, node_id, node_kind, parent_before, parent_after, name_before, name_after,
     content_rev, by_user, device, at, copied_node, copied_rev, copied_count, batch_id,
     more, from_address)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,

  insertTrash: `INSERT INTO trash
    (space_id, deleted_rev, node_id, parent_id, name, kind, size_bytes, content_rev, deleted_at,
     deleted_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  getTrash: `SELECT node_id, parent_id, kind, size_bytes, content_rev FROM trash
    WHERE space_id = ? AND deleted_rev = ?`,
  deleteTrash: 'DELETE FROM trash WHERE space_id = ? AND deleted_rev = ?',

  listProperties: `SELECT namespace, name, xml FROM property
    WHERE space_id = ? AND node_id = ? ORDER BY namespace, name`,
  insertProperty: `INSERT INTO property (space_id, node_id, namespace, name, xml)
    VALUES (?, ?, ?, ?, ?)`,
  deleteProperties: 'DELETE FROM property WHERE space_id = ? AND node_id = ?',

  listLocks: `SELECT token, node_id, scope, depth, owner_xml, holder, expires_at
    FROM dav_lock WHERE space_id = ?`,
  insertLock: `INSERT INTO dav_lock
    (space_id, token, node_id, scope, depth, owner_xml, holder, expires_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  updateLockExpiry: 'UPDATE dav_lock SET expires_at = ? WHERE space_id = ? AND token = ?',
  deleteLock: 'DELETE FROM dav_lock WHERE space_id = ? AND token = ?',

  getUpload: `SELECT part_count, ended FROM upload WHERE owner = ? AND upload_id = ?`,
  countOpenUploads: 'SELECT COUNT(*) FROM upload WHERE owner = ? AND ended = 0',
  insertUpload: `INSERT INTO upload
    (owner, upload_id, total_bytes, created_at, expires_at, part_count, ended)
    VALUES (?, ?, ?, ?, ?, 0, 0)`,
  updateUploadExpiry: 'UPDATE upload SET expires_at = ? WHERE owner = ? AND upload_id = ?',
  updateUploadParts: `UPDATE upload SET expires_at = ?, part_count = ?
    WHERE owner = ? AND upload_id = ?`,
  endUpload: `UPDATE upload SET part_count = 0, ended = 1, result_space = ?, result_node = ?,
    result_mark = ?, result_created = ? WHERE owner = ? AND upload_id = ?`,
  deleteUpload: 'DELETE FROM upload WHERE owner = ? AND upload_id = ?',
  listExpiredUploads: `SELECT owner, upload_id, part_count FROM upload WHERE expires_at < ?
      AND NOT EXISTS (SELECT 1 FROM space s JOIN placement p ON p.tenant = s.tenant
        WHERE s.owner = upload.owner AND p.state <> 'home')
    ORDER BY expires_at, owner, upload_id LIMIT ?`,
  findPart: 'SELECT 1 FROM upload_part WHERE owner = ? AND upload_id = ? AND number = ?',
  insertPart: `INSERT INTO upload_part (owner, upload_id, number, name, size_bytes, manifest)
    VALUES (?, ?, ?, ?, ?, ?)`,
  updatePart: `UPDATE upload_part SET name = ?, size_bytes = ?, manifest = ?
    WHERE owner = ? AND upload_id = ? AND number = ?`,
  deleteParts: 'DELETE FROM upload_part WHERE owner = ? AND upload_id = ?',

  listAsOf: `SELECT canon, id, name, kind, size_bytes, modified_at, content_rev, checksums
    FROM node WHERE space_id = ? AND parent_id = ? AND canon > ? AND canon <= ?
      AND rev_from <= ? AND kind < 2
    UNION ALL
    SELECT canon, id, name, kind, size_bytes, modified_at, content_rev, checksums
    FROM node_past WHERE space_id = ? AND parent_id = ? AND canon > ? AND canon <= ?
      AND rev_to > ? AND rev_from <= ? AND kind < 2
    ORDER BY canon`,
  copyVersion: `INSERT INTO version
    (space_id, node_id, content_rev, size_bytes, modified_at, checksums, manifest, saved_at,
     saved_by)
    SELECT ?, ?, ?, size_bytes, modified_at, checksums, manifest, saved_at, saved_by
    FROM version WHERE space_id = ? AND node_id = ? AND content_rev = ?`,
  copyProperties: `INSERT INTO property (space_id, node_id, namespace, name, xml)
    SELECT ?, ?, namespace, name, xml FROM property WHERE space_id = ? AND node_id = ?`,
  insertCopyJob: 'INSERT INTO copy_job (first_id, space_id, node_count) VALUES (?, ?, ?)',
  deleteCopyJob: 'DELETE FROM copy_job WHERE first_id = ?',
  listCopyJobs: 'SELECT first_id, space_id, node_count FROM copy_job ORDER BY first_id',
  sweepNodes: 'DELETE FROM node WHERE space_id = ? AND id >= ? AND id < ?',
  sweepFolders: 'DELETE FROM folder WHERE space_id = ? AND id >= ? AND id < ?',
  sweepVersions: 'DELETE FROM version WHERE space_id = ? AND node_id >= ? AND node_id < ?',
  sweepProperties: 'DELETE FROM property WHERE space_id = ? AND node_id >= ? AND node_id < ?',

  getWitness: 'SELECT volume_id, durable_bytes FROM witness',
  insertWitness: 'INSERT INTO witness (volume_id, durable_bytes) VALUES (?, ?)',
  updateWitness: 'UPDATE witness SET durable_bytes = ? WHERE volume_id = ?',

  ...ACCESS_WRITES,
  ...PAST_WRITES,
  ...HOLD_WRITES,
  ...WINDOW_SQL,

  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
} as const;

/** A statement of that table, ready to run on whatever keeps the tables. A row is an array of its
 *  columns. */
export interface SqlStatement {
  get(...values: unknown[]): unknown;
  all(...values: unknown[]): unknown[];
  run(...values: unknown[]): { changes: number };
}

export type StatementName = keyof typeof WRITER_SQL;
export type Statements = Readonly<Record<StatementName, SqlStatement>>;

/** What is kept of one node's past is bounded by nothing but time: more than this is a mistake. */
const PAST_OF_NODE_MAX = 1_000_000;
const PROPERTIES_MAX = 100_000;
/** Nodes of a copy that are swept at once, each with as many rows as a new one can have. */
const SWEPT_MAX = 2_000;

/** How many rows each run may write, of those that are not searched by a whole key. All others:
 *  one. What writes more is undone, with its batch. */
export const WRITER_ROWS: Partial<Record<StatementName, number>> = {
  reviveNode: 1, deleteClosedRow: 1, deleteProperties: PROPERTIES_MAX,
  copyProperties: PROPERTIES_MAX, deleteParts: UPLOAD_PARTS_MAX,
  sweepNodes: SWEPT_MAX, sweepFolders: SWEPT_MAX, sweepVersions: SWEPT_MAX,
  sweepProperties: PROPERTIES_MAX, deleteGrantsAt: GRANTS_PER_SPACE_MAX,
  deletePastGrants: GRANTS_PER_SPACE_MAX, deleteClosedRows: PAST_OF_NODE_MAX,
  deleteVersions: PAST_OF_NODE_MAX,
};

/** Prepares all of them once. Those that answer rows give each row as an array of its columns. */
export function prepareStatements(connection: Connection): Statements {
  const entries = Object.entries(WRITER_SQL).map(([name, sql]) => {
    const statement = connection.prepare(sql);
    const asRows = statement.reader ? statement.raw(true) : statement;
    const rowsMax = WRITER_ROWS[name as StatementName] ?? 1;
    return [name, countedStatement(`metadata.writer.${name}`, sql, asRows, rowsMax)] as const;
  });
  return Object.fromEntries(entries) as unknown as Statements;
}
