/** The SQL that reads the past, by name. Each is a search in an index: none scans a table. */
import { countedStatement } from '../../../../platform/index.ts';
import { WINDOW_SQL } from '../as-of-window.ts';
import type { Connection } from '../connection.ts';
import type { SqlStatement } from '../statements.ts';
import { ACCESS_READS } from './access-reads.ts';

const NODE = `id, parent_id, canon, name, kind, size_bytes, modified_at, created_at, mark,
  content_rev, checksums`;
const TRASH = `deleted_rev, node_id, parent_id, name, kind, size_bytes, deleted_at, deleted_by`;
const BATCH = `id, space_id, kind, state, node_id, as_of, undoes, rev_from, rev_to, done_count,
  skipped_count, begun_by, device, begun_at, ended_at, with_sharing`;

export const PAST_SQL = {
  begin: 'BEGIN',
  end: 'COMMIT',

  getSpace: `SELECT s.root_id, s.rev, s.case_policy, s.created_at, p.rev_floor
    FROM space s LEFT JOIN space_past p ON p.space_id = s.id WHERE s.id = ?`,
  getEventTime: 'SELECT at FROM event WHERE space_id = ? AND rev = ?',

  // Rows of one node, and rows of one name in one folder, never overlap in time: the first that
  // ends after the revision is the only one that can hold there.
  getNode: `SELECT ${NODE}, rev_from FROM node WHERE space_id = ? AND id = ?`,
  getPastNode: `SELECT ${NODE}, rev_from, rev_to FROM node_past
    WHERE space_id = ? AND id = ? AND rev_to > ? ORDER BY rev_to LIMIT 1`,
  getChild: `SELECT ${NODE}, rev_from FROM node
    WHERE space_id = ? AND parent_id = ? AND canon = ?`,
  getPastChild: `SELECT ${NODE}, rev_from FROM node_past
    WHERE space_id = ? AND parent_id = ? AND canon = ? AND rev_to > ? ORDER BY rev_to LIMIT 1`,
  listMembers: `SELECT ${NODE} FROM node
    WHERE space_id = ? AND parent_id = ? AND canon > ? AND canon <= ? AND rev_from <= ?
    UNION ALL
    SELECT ${NODE} FROM node_past
    WHERE space_id = ? AND parent_id = ? AND canon > ? AND canon <= ? AND rev_to > ?
      AND rev_from <= ?
    ORDER BY canon`,
  ...WINDOW_SQL,
  getLastEnd: `SELECT rev_to FROM node_past WHERE space_id = ? AND id = ?
    ORDER BY rev_to DESC LIMIT 1`,

  listGrants: ACCESS_READS.listPastGrants,
  getMount: ACCESS_READS.getMount,

  getTrash: `SELECT ${TRASH} FROM trash WHERE space_id = ? AND deleted_rev = ?`,
  listTrashOfFolder: `SELECT ${TRASH} FROM trash
    WHERE space_id = ? AND parent_id = ? AND deleted_rev < ? AND deleted_by <> ''
    ORDER BY deleted_rev DESC LIMIT ?`,
  listTrashOfUser: `SELECT ${TRASH} FROM trash
    WHERE space_id = ? AND deleted_by = ? AND deleted_rev < ? ORDER BY deleted_rev DESC LIMIT ?`,
  listVersionKeys: `SELECT node_id, content_rev, size_bytes, saved_at FROM version
    WHERE space_id = ? AND (node_id, content_rev) > (?, ?) ORDER BY node_id, content_rev LIMIT ?`,

  getRetention: `SELECT history_keep_days, versions_keep_daily_days, trash_keep_days
    FROM retention WHERE scope = ? AND id = ?`,

  getBatch: `SELECT ${BATCH} FROM batch WHERE id = ?`,
  listBatches: `SELECT ${BATCH} FROM batch WHERE id < ? ORDER BY id DESC LIMIT ?`,
  listBatchesOfSpace: `SELECT ${BATCH} FROM batch
    WHERE space_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
  listBatchesInState: `SELECT ${BATCH} FROM batch
    WHERE state = ? AND id < ? ORDER BY id DESC LIMIT ?`,
} as const;

export type PastStatements = Readonly<Record<keyof typeof PAST_SQL, SqlStatement>>;

/** Prepares all of them once. Each row comes as an array of its columns. */
export function preparePast(connection: Connection): PastStatements {
  const entries = Object.entries(PAST_SQL).map(([name, sql]) => {
    const statement = connection.prepare(sql);
    const asRows = statement.reader ? statement.raw(true) : statement;
    return [name, countedStatement(`metadata.past.${name}`, sql, asRows)] as const;
  });
  return Object.fromEntries(entries) as unknown as PastStatements;
}
