/** The SQL by which the writer keeps batches and forgets the past: see statements.ts. Where rows
 *  of one node in `node_past` are looked for, a range of `rev_to` is given, if only of one number:
 *  told to look for equal numbers alone, SQLite takes the key and passes over the whole space. */

export const PAST_WRITES = {
  /** With a bound that every revision is above, so that the plan says that no space is passed. */
  getLastEventTime: `SELECT at FROM event WHERE space_id = ? AND rev > 0
    ORDER BY rev DESC LIMIT 1`,
  getManifest: `SELECT manifest FROM version
    WHERE space_id = ? AND node_id = ? AND content_rev = ?`,

  getBatch: 'SELECT space_id, state, undoes FROM batch WHERE id = ?',
  findRunningBatch: `SELECT id FROM batch WHERE state = 'running' AND space_id = ? LIMIT 1`,
  insertBatch: `INSERT INTO batch
    (id, space_id, kind, state, node_id, as_of, undoes, rev_from, rev_to, done_count,
     skipped_count, begun_by, device, begun_at, ended_at, with_sharing)
    VALUES (?, ?, ?, 'running', ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, NULL, ?)`,
  noteBatch: `UPDATE batch SET state = ?, rev_to = ?, done_count = ?, skipped_count = ?,
    ended_at = ? WHERE id = ?`,
  setBatchState: 'UPDATE batch SET state = ? WHERE id = ?',

  deleteRetention: 'DELETE FROM retention WHERE scope = ? AND id = ?',
  insertRetention: `INSERT INTO retention
    (scope, id, history_keep_days, versions_keep_daily_days, trash_keep_days)
    VALUES (?, ?, ?, ?, ?)`,

  getFloor: 'SELECT rev_floor, rev_purged FROM space_past WHERE space_id = ?',
  insertFloor: 'INSERT INTO space_past (space_id, rev_floor, rev_purged) VALUES (?, ?, ?)',
  updateFloor: 'UPDATE space_past SET rev_floor = ?, rev_purged = ? WHERE space_id = ?',
  getOldestTrash: `SELECT deleted_rev, node_id, kind FROM trash
    WHERE space_id = ? AND deleted_rev <= ? ORDER BY deleted_rev LIMIT 1`,
  getOldestDropped: `SELECT deleted_rev, node_id, kind FROM trash
    WHERE space_id = ? AND deleted_by = '' AND deleted_rev <= ? ORDER BY deleted_rev LIMIT 1`,
  dropTrash: `UPDATE trash SET deleted_by = ''
    WHERE space_id = ? AND deleted_rev = ? AND deleted_by <> ''`,
  findTrashAt: 'SELECT 1 FROM trash WHERE space_id = ? AND deleted_rev = ?',
  listMembers: `SELECT id, kind, canon FROM node WHERE space_id = ? AND parent_id = ?
    ORDER BY canon LIMIT ?`,
  listEventNodes: `SELECT rev, node_id FROM event WHERE space_id = ? AND rev > ? AND rev <= ?
    ORDER BY rev LIMIT ?`,
  deleteClosedRow: `DELETE FROM node_past
    WHERE space_id = ? AND id = ? AND rev_to BETWEEN ? AND ?`,
  deleteClosedRows: 'DELETE FROM node_past WHERE space_id = ? AND id = ? AND rev_to > 0',
  deleteVersions: 'DELETE FROM version WHERE space_id = ? AND node_id = ?',
  deleteVersion: 'DELETE FROM version WHERE space_id = ? AND node_id = ? AND content_rev = ?',
  deleteFolder: 'DELETE FROM folder WHERE space_id = ? AND id = ?',
  getContentRev: 'SELECT content_rev FROM node WHERE space_id = ? AND id = ?',
  getTrashedContent: `SELECT t.content_rev FROM node_past p
    JOIN trash t ON t.space_id = p.space_id AND t.deleted_rev = p.rev_to AND t.node_id = p.id
    WHERE p.space_id = ? AND p.id = ? ORDER BY p.rev_to DESC LIMIT 1`,
  getNextContent: `SELECT content_rev FROM version
    WHERE space_id = ? AND node_id = ? AND content_rev > ? ORDER BY content_rev LIMIT 1`,
} as const;
