/** The SQL by which the writer keeps quarantines and what they hold: see statements.ts. */

export const HOLD_WRITES = {
  getQuarantine: `SELECT space_id, state, held_count, held_bytes, batch_id, by_user, device_key
    FROM quarantine WHERE id = ?`,
  findQuarantine: `SELECT id FROM quarantine WHERE state IN ('open', 'keeping')
    AND space_id = ? AND by_user = ? AND device_key = ? LIMIT 1`,
  insertQuarantine: `INSERT INTO quarantine
    (id, space_id, by_user, device_key, device, state, opened_at, opened_rev, view_rev, held_count,
     held_bytes, batch_id, decided_by, decided_at)
    VALUES (?, ?, ?, ?, ?, 'open', ?, ?, 1, 0, 0, NULL, NULL, NULL)`,
  noteHeld: `UPDATE quarantine SET held_count = held_count + ?, held_bytes = held_bytes + ?,
    view_rev = view_rev + 1 WHERE id = ?`,
  decideQuarantine: `UPDATE quarantine SET state = ?, batch_id = ?, decided_by = ?, decided_at = ?,
    view_rev = view_rev + 1 WHERE id = ?`,
  setQuarantineState: `UPDATE quarantine SET state = ?, view_rev = view_rev + 1 WHERE id = ?`,
  sumHeld: `SELECT space_id, SUM(held_bytes) FROM quarantine WHERE state IN ('open', 'keeping')
    GROUP BY space_id`,

  findHeld: `SELECT id, kind, size_bytes, base_content_rev FROM held_change
    WHERE quarantine_id = ? AND node_id = ?`,
  getHeld: `SELECT h.quarantine_id, h.node_id, h.kind, h.size_bytes
    FROM held_change h WHERE h.id = ?`,
  getHeldBytes: `SELECT size_bytes FROM held_change WHERE id = ? AND kind = 'content'`,
  insertHeld: `INSERT INTO held_change
    (id, quarantine_id, node_id, kind, node_kind, parent_id, name, base_rev, base_content_rev,
     held_at, size_bytes, modified_at, checksums, manifest)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  deleteHeld: 'DELETE FROM held_change WHERE id = ?',
} as const;
