/** The SQL of the readers, by name. */
import { countedStatement } from '../../../../platform/index.ts';
import type { Connection } from '../connection.ts';
import type { SqlStatement } from '../statements.ts';
import { ACCESS_READS } from './access-reads.ts';
import { FOLLOW_READS } from './follow-reads.ts';
import { HOLD_READS } from './hold-reads.ts';

const NODE = `n.id, n.parent_id, n.canon, n.name, n.kind, n.size_bytes, n.modified_at, n.created_at,
  n.mark, n.content_rev, n.checksums`;
const VERSION = `content_rev, size_bytes, modified_at, checksums, manifest, saved_at, saved_by`;

export const READ_SQL = {
  begin: 'BEGIN',
  end: 'COMMIT',

  ...ACCESS_READS,
  ...HOLD_READS,
  ...FOLLOW_READS,
  findSpaceByOwner: 'SELECT id FROM space WHERE owner = ?',
  getRoot: 'SELECT root_id, folders_rev, case_policy FROM space WHERE id = ?',

  getNode: `SELECT ${NODE} FROM node n WHERE n.space_id = ? AND n.id = ?`,
  getChild: `SELECT ${NODE} FROM node n
    WHERE n.space_id = ? AND n.parent_id = ? AND n.canon = ?`,
  getFolder: 'SELECT mark, size_bytes, changed_at FROM folder WHERE space_id = ? AND id = ?',

  listMembers: `SELECT ${NODE}, f.mark, f.size_bytes, f.changed_at
    FROM node n LEFT JOIN folder f ON n.kind = 1 AND f.space_id = n.space_id AND f.id = n.id
    WHERE n.space_id = ? AND n.parent_id = ? AND n.canon > ? ORDER BY n.canon LIMIT ?`,
  listMembersProperties: `SELECT n.id, p.namespace, p.name, p.xml
    FROM node n JOIN property p ON p.space_id = n.space_id AND p.node_id = n.id
    WHERE n.space_id = ? AND n.parent_id = ? AND n.canon > ? AND n.canon <= ?
    ORDER BY n.canon, p.namespace, p.name`,

  listMembersMounts: `SELECT n.id, m.target_space, m.target_node
    FROM node n JOIN mount m ON m.space_id = n.space_id AND m.node_id = n.id
    WHERE n.space_id = ? AND n.parent_id = ? AND n.canon > ? AND n.canon <= ? AND n.kind = 2`,

  listProperties: `SELECT namespace, name, xml FROM property
    WHERE space_id = ? AND node_id = ? ORDER BY namespace, name`,
  getVersion: `SELECT ${VERSION} FROM version
    WHERE space_id = ? AND node_id = ? AND content_rev = ?`,
  listVersions: `SELECT ${VERSION} FROM version
    WHERE space_id = ? AND node_id = ? ORDER BY content_rev DESC`,
  listEvents: `SELECT rev, kind, node_id, node_kind, parent_before, parent_after, name_before,
      name_after, content_rev, by_user, device, at, copied_node, copied_rev, copied_count, batch_id,
      more, from_address
    FROM event WHERE space_id = ? AND rev > ? ORDER BY rev LIMIT ?`,
  listTrash: `SELECT deleted_rev, node_id, parent_id, name, kind, size_bytes, deleted_at, deleted_by
    FROM trash WHERE space_id = ? AND deleted_rev < ? AND deleted_by <> ''
    ORDER BY deleted_rev DESC LIMIT ?`,
  listLocks: `SELECT token, node_id, scope, depth, owner_xml, holder, expires_at
    FROM dav_lock WHERE space_id = ? AND expires_at > ? ORDER BY token`,
  findUpload: `SELECT total_bytes, created_at, expires_at, result_space, result_node, result_mark,
    result_created FROM upload WHERE owner = ? AND upload_id = ?`,
  listParts: `SELECT number, name, size_bytes, manifest FROM upload_part
    WHERE owner = ? AND upload_id = ? ORDER BY number`,
  listPartManifests: `SELECT owner, upload_id, number, manifest FROM upload_part
    WHERE (owner, upload_id, number) > (?, ?, ?) ORDER BY owner, upload_id, number LIMIT ?`,
  listVersionManifests: `SELECT space_id, node_id, content_rev, manifest FROM version
    WHERE (space_id, node_id, content_rev) > (?, ?, ?)
    ORDER BY space_id, node_id, content_rev LIMIT ?`,
  listWitness: 'SELECT volume_id, durable_bytes FROM witness ORDER BY volume_id',
} as const;

export type ReadStatements = Readonly<Record<keyof typeof READ_SQL, SqlStatement>>;

/** Prepares all of them once. Each row comes as an array of its columns. */
export function prepareReads(connection: Connection): ReadStatements {
  const entries = Object.entries(READ_SQL).map(([name, sql]) => {
    const statement = connection.prepare(sql);
    const asRows = statement.reader ? statement.raw(true) : statement;
    return [name, countedStatement(`metadata.reader.${name}`, sql, asRows)] as const;
  });
  return Object.fromEntries(entries) as unknown as ReadStatements;
}

/** Runs `read` on one snapshot of the database. */
export function onSnapshot<T>(reads: ReadStatements, read: () => T): T {
  reads.begin.run();
  try {
    return read();
  } finally {
    reads.end.run();
  }
}
