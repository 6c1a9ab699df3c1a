/** The SQL by which quarantines are read: see read-statements.ts. */

const QUARANTINE = `id, space_id, by_user, device_key, device, state, opened_at, opened_rev,
  view_rev, held_count, held_bytes, batch_id, decided_by, decided_at`;

export const HOLD_READS = {
  findQuarantine: `SELECT ${QUARANTINE} FROM quarantine WHERE id = ?`,
  listQuarantines: `SELECT ${QUARANTINE} FROM quarantine WHERE id < ? ORDER BY id DESC LIMIT ?`,
  listQuarantinesIn: `SELECT ${QUARANTINE} FROM quarantine WHERE state = ? AND id < ?
    ORDER BY id DESC LIMIT ?`,
  listHeld: `SELECT id, quarantine_id, node_id, kind, node_kind, parent_id, name, base_rev,
      base_content_rev, held_at, size_bytes, modified_at, checksums
    FROM held_change WHERE quarantine_id = ? AND id > ? ORDER BY id LIMIT ?`,
  getHeldContent: `SELECT h.size_bytes, h.modified_at, h.checksums, h.manifest, h.held_at, q.by_user
    FROM held_change h JOIN quarantine q ON q.id = h.quarantine_id
    WHERE h.id = ? AND h.node_id = ? AND q.space_id = ? AND h.manifest IS NOT NULL`,
  /** A row of a folder is read only once those of the folders above it are through. */
  countOlderFiles: `WITH RECURSIVE below (id) AS (VALUES (@folder)
      UNION ALL SELECT n.id FROM below b CROSS JOIN node n
        ON n.space_id = @space AND n.parent_id = b.id AND n.kind = 1)
    SELECT COUNT(*) FROM (SELECT 1
      FROM (SELECT n.kind = 0 AND n.content_rev <= @rev AS is_older
        FROM below b CROSS JOIN node n ON n.space_id = @space AND n.parent_id = b.id LIMIT @rows)
      WHERE is_older LIMIT @count)`,
  listHeldManifests: `SELECT id, manifest FROM held_change
    WHERE id > ? AND manifest IS NOT NULL ORDER BY id LIMIT ?`,
} as const;
