/** The SQL by which spaces, grants, mounts and quotas are read: see read-statements.ts. */
import { GRANT_COLUMNS } from '../rows.ts';

export const SPACE = `s.id, s.tenant, s.kind, s.name, s.owner, s.root_id, s.rev, s.access_rev,
  s.case_policy, s.quota_bytes, f.size_bytes, s.created_at`;
const SPACES = `SELECT ${SPACE}
  FROM space s JOIN folder f ON f.space_id = s.id AND f.id = s.root_id`;
const GRANTS = `SELECT ${GRANT_COLUMNS}
  FROM access_grant g LEFT JOIN grant_count c ON c.grant_id = g.id`;

export const ACCESS_READS = {
  getSpace: `${SPACES} WHERE s.id = ?`,
  listSpaces: `${SPACES} WHERE s.id > ? ORDER BY s.id LIMIT ?`,

  getAccessRev: 'SELECT access_rev FROM space WHERE id = ?',
  listGrants: `${GRANTS} WHERE g.space_id = ? ORDER BY g.id`,
  listGrantsTo: `${GRANTS}
    WHERE g.subject_kind = ? AND g.subject = ? AND g.is_shown = 1 ORDER BY g.id LIMIT ?`,
  findLink: `${GRANTS} WHERE g.subject_kind = ? AND g.subject = ?`,
  listPastGrants: `${GRANTS} WHERE g.space_id = ? AND g.rev_from <= ?
    UNION ALL
    SELECT ${GRANT_COLUMNS}
    FROM access_grant_past g LEFT JOIN grant_count c ON c.grant_id = g.id
    WHERE g.space_id = ? AND g.rev_to > ? AND g.rev_from <= ?
    ORDER BY 1`,

  getMount: 'SELECT target_space, target_node FROM mount WHERE space_id = ? AND node_id = ?',
  listMounts: `SELECT m.node_id, m.target_space, m.target_node
    FROM mount m JOIN node n ON n.space_id = m.space_id AND n.id = m.node_id
    WHERE m.space_id = ? ORDER BY m.node_id`,
  listAllMounts: `SELECT node_id, target_space, target_node FROM mount
    WHERE space_id = ? ORDER BY node_id`,
  listDeclined: `SELECT target_space, target_node FROM declined_mount
    WHERE space_id = ? ORDER BY target_space, target_node`,

  listReservations: `SELECT id, bytes, expires_at FROM reservation
    WHERE space_id = ? AND expires_at > ? ORDER BY id`,
  sumReservations: `SELECT (SELECT COALESCE(SUM(bytes), 0) FROM reservation
      WHERE space_id = @space AND expires_at > @at)
    + (SELECT COALESCE(SUM(held_bytes), 0) FROM quarantine
      WHERE state IN ('open', 'keeping') AND space_id = @space)`,
  getTenantQuota: 'SELECT quota_bytes FROM tenant WHERE id = ?',
  sumTenant: `SELECT COALESCE(SUM(f.size_bytes), 0)
    FROM space s JOIN folder f ON f.space_id = s.id AND f.id = s.root_id WHERE s.tenant = ?`,
  sumTenantReservations: `SELECT (SELECT COALESCE(SUM(r.bytes), 0)
      FROM space s JOIN reservation r ON r.space_id = s.id
      WHERE s.tenant = @tenant AND r.expires_at > @at)
    + (SELECT COALESCE(SUM(q.held_bytes), 0)
      FROM quarantine q JOIN space s ON s.id = q.space_id
      WHERE q.state IN ('open', 'keeping') AND s.tenant = @tenant)`,
};
