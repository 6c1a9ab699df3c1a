/** The SQL by which the writer keeps spaces, grants, mounts and quotas: see statements.ts. */
import { GRANT_COLUMNS } from './rows.ts';

const GRANT = `SELECT ${GRANT_COLUMNS}
  FROM access_grant g LEFT JOIN grant_count c ON c.grant_id = g.id`;
const PAST = `node_id, subject_kind, subject, role, is_shown, expires_at, terms, created_by,
  created_at, rev_from`;

export const ACCESS_WRITES = {
  insertTeamSpace: `INSERT INTO space
    (id, tenant, kind, name, owner, root_id, rev, folders_rev, access_rev, case_policy, quota_bytes,
     created_at) VALUES (?, ?, 'team', ?, NULL, ?, 0, 0, 0, ?, ?, ?)`,
  getSpaceKind: 'SELECT kind FROM space WHERE id = ?',
  updateSpaceName: 'UPDATE space SET name = ? WHERE id = ?',
  updateAccessRev: 'UPDATE space SET access_rev = ? WHERE id = ?',

  getGrant: `${GRANT} WHERE g.id = ?`,
  findGrantAt: `${GRANT}
    WHERE g.space_id = ? AND g.node_id = ? AND g.subject_kind = ? AND g.subject = ?`,
  findGrantOf: `SELECT id FROM access_grant
    WHERE subject_kind = ? AND subject = ? AND id <> ? LIMIT 1`,
  listGrants: `${GRANT} WHERE g.space_id = ? ORDER BY g.id`,
  countGrants: 'SELECT COUNT(*) FROM access_grant WHERE space_id = ?',
  insertGrant: `INSERT INTO access_grant
    (id, space_id, node_id, subject_kind, subject, role, is_shown, expires_at, terms, created_by,
     created_at, rev_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  closeGrant: `INSERT INTO access_grant_past (space_id, rev_to, id, ${PAST})
    SELECT space_id, ?, id, ${PAST} FROM access_grant WHERE id = ?`,
  deleteGrant: 'DELETE FROM access_grant WHERE id = ?',
  deleteGrantsAt: 'DELETE FROM access_grant WHERE space_id = ? AND node_id = ?',
  deletePastGrants: 'DELETE FROM access_grant_past WHERE space_id = ? AND rev_to = ?',
  getGrantCount: 'SELECT downloads FROM grant_count WHERE grant_id = ?',
  insertGrantCount: 'INSERT INTO grant_count (grant_id, downloads) VALUES (?, ?)',
  updateGrantCount: 'UPDATE grant_count SET downloads = ? WHERE grant_id = ?',

  getMount: 'SELECT target_space, target_node FROM mount WHERE space_id = ? AND node_id = ?',
  findMounts: `SELECT node_id FROM mount
    WHERE target_space = ? AND target_node = ? AND space_id = ? ORDER BY node_id`,
  countMounts: `SELECT COUNT(*)
    FROM mount m CROSS JOIN node n ON n.space_id = m.space_id AND n.id = m.node_id
    WHERE m.space_id = ?`,
  insertMount: `INSERT INTO mount (space_id, node_id, target_space, target_node)
    VALUES (?, ?, ?, ?)`,
  deleteMount: 'DELETE FROM mount WHERE space_id = ? AND node_id = ?',
  findDeclined: `SELECT 1 FROM declined_mount
    WHERE space_id = ? AND target_space = ? AND target_node = ?`,
  countDeclined: 'SELECT COUNT(*) FROM declined_mount WHERE space_id = ?',
  insertDeclined: `INSERT INTO declined_mount (space_id, target_space, target_node)
    VALUES (?, ?, ?)`,
  deleteDeclined: `DELETE FROM declined_mount
    WHERE space_id = ? AND target_space = ? AND target_node = ?`,

  /** Of the tenants that are at home. */
  listReservations: `SELECT space_id, id, bytes, expires_at FROM reservation
    WHERE NOT EXISTS (SELECT 1 FROM space s JOIN placement p ON p.tenant = s.tenant
      WHERE s.id = reservation.space_id AND p.state <> 'home')`,
  insertReservation: `INSERT INTO reservation (space_id, id, bytes, expires_at)
    VALUES (?, ?, ?, ?)`,
  updateReservation: `UPDATE reservation SET bytes = ?, expires_at = ?
    WHERE space_id = ? AND id = ?`,
  deleteReservation: 'DELETE FROM reservation WHERE space_id = ? AND id = ?',
  getTenant: 'SELECT quota_bytes FROM tenant WHERE id = ?',
  insertTenant: 'INSERT INTO tenant (id, quota_bytes) VALUES (?, ?)',
  updateTenant: 'UPDATE tenant SET quota_bytes = ? WHERE id = ?',
  sumTenant: `SELECT COALESCE(SUM(f.size_bytes), 0)
    FROM space s JOIN folder f ON f.space_id = s.id AND f.id = s.root_id WHERE s.tenant = ?`,
  hasPropertiesSince: `SELECT 1 FROM event
    WHERE space_id = ? AND rev > ? AND kind = ? LIMIT 1`,
};
