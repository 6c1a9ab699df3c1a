/** The SQL of the readers: the shared tables of statements, and what MariaDB has to be told in
 *  other words. */
import { namedTable } from '../../../../platform/mariadb/index.ts';
import { TABLE_KEYS } from '../schema.ts';
import { GRANT_COLUMNS } from '../../sqlite/rows.ts';
import { ACCESS_READS, SPACE } from '../../sqlite/reader/access-reads.ts';
import { PAST_SQL } from '../../sqlite/reader/past-statements.ts';
import { READ_SQL } from '../../sqlite/reader/read-statements.ts';

/** Rows behind a key of several columns. Compared as a whole, it would be no search in the index.
 *  */
function behind(...columns: readonly [string, ...string[]]): string {
  const parts = columns.map((column, last) => {
    const equal = columns.slice(0, last).map((each, at) => `${each} = ?${at + 1}`);
    return `(${[...equal, `${column} > ?${last + 1}`].join(' AND ')})`;
  });
  return `(${parts.join(' OR ')})`;
}

type ReadName = keyof typeof READ_SQL;
type PastName = keyof typeof PAST_SQL;

const READ_WORDS: Partial<Record<ReadName, string>> = {
  listPartManifests: `SELECT owner, upload_id, number, manifest FROM upload_part
    WHERE ${behind('owner', 'upload_id', 'number')} ORDER BY owner, upload_id, number LIMIT ?4`,
  listVersionManifests: `SELECT space_id, node_id, content_rev, manifest FROM version
    WHERE ${behind('space_id', 'node_id', 'content_rev')}
    ORDER BY space_id, node_id, content_rev LIMIT ?4`,
  countOlderFiles: `WITH RECURSIVE below (id) AS (SELECT CAST(@folder AS SIGNED)
      UNION ALL SELECT n.id FROM below b STRAIGHT_JOIN node n
        ON n.space_id = @space AND n.parent_id = b.id AND n.kind = 1)
    SELECT COUNT(*) FROM (SELECT 1
      FROM (SELECT n.kind = 0 AND n.content_rev <= @rev AS is_older
        FROM below b STRAIGHT_JOIN node n ON n.space_id = @space AND n.parent_id = b.id
        LIMIT @rows) looked
      WHERE is_older LIMIT @count) older`,
};

const PAST_WORDS: Partial<Record<PastName, string>> = {
  listVersionKeys: `SELECT node_id, content_rev, size_bytes, saved_at FROM version
    WHERE space_id = ?1 AND (node_id > ?2 OR (node_id = ?2 AND content_rev > ?3))
    ORDER BY node_id, content_rev LIMIT ?4`,
};

export const READ_STATEMENTS = namedTable<ReadName>({ ...READ_SQL, ...READ_WORDS },
  { owner: 'metadata.reader', tables: TABLE_KEYS });
export const PAST_STATEMENTS = namedTable<PastName>({ ...PAST_SQL, ...PAST_WORDS },
  { owner: 'metadata.past', tables: TABLE_KEYS });

const NODE = `n.id, n.parent_id, n.canon, n.name, n.kind, n.size_bytes, n.modified_at, n.created_at,
  n.mark, n.content_rev, n.checksums, f.mark, f.size_bytes, f.changed_at, m.target_space,
  m.target_node`;
const ASIDE = `LEFT JOIN folder f ON n.kind = 1 AND f.space_id = n.space_id AND f.id = n.id
    LEFT JOIN mount m ON n.kind = 2 AND m.space_id = n.space_id AND m.node_id = n.id`;

/** A whole path at once. `@names` is a list of canonical names as JSON, from the start downwards;
 *  `@from` the id of the node to start at, 0 for the root. Where the walk starts elsewhere, the way
 *  up to the root is walked too: it says whether the start is live. */
export const WALK_STATEMENTS = namedTable<'getCasePolicy' | 'walk' | 'nodesAt'>({
  getCasePolicy: 'SELECT case_policy FROM space WHERE id = ?',
  walk: `WITH RECURSIVE
      wanted (depth, canon) AS (SELECT j.depth, j.canon FROM JSON_TABLE(@names, '$[*]'
        COLUMNS (depth FOR ORDINALITY, canon VARCHAR(512) PATH '$')) j),
      up (id, parent_id) AS (
        SELECT id, parent_id FROM node WHERE space_id = @space AND id = @from
        UNION ALL
        SELECT n.id, n.parent_id FROM up STRAIGHT_JOIN node n
          ON n.space_id = @space AND n.id = up.parent_id),
      down (depth, id, kind) AS (
        SELECT 0, s.id, s.kind FROM (
          SELECT id, kind FROM node
            WHERE space_id = @space AND parent_id = 0 AND canon = '' AND @from = 0
          UNION ALL
          SELECT id, kind FROM node WHERE space_id = @space AND id = @from
            AND EXISTS (SELECT 1 FROM up WHERE parent_id = 0)) s
        UNION ALL
        SELECT d.depth + 1, n.id, n.kind FROM down d
          STRAIGHT_JOIN wanted w ON w.depth = d.depth + 1
          STRAIGHT_JOIN node n
            ON n.space_id = @space AND n.parent_id = d.id AND n.canon = w.canon
        WHERE d.kind = 1)
    SELECT ${NODE}
    FROM down STRAIGHT_JOIN node n ON n.space_id = @space AND n.id = down.id
    ${ASIDE} ORDER BY down.depth`,
  /** What stands at some places: `@places` is a list of them as JSON, each its space, the folder's
   *  id and a canonical name. */
  nodesAt: `SELECT ${NODE}, n.space_id
    FROM (SELECT j.space, j.parent, j.canon FROM JSON_TABLE(@places, '$[*]' COLUMNS (
        space BIGINT PATH '$[0]', parent BIGINT PATH '$[1]', canon VARCHAR(512) PATH '$[2]')) j) v
      STRAIGHT_JOIN node n
        ON n.space_id = v.space AND n.parent_id = v.parent AND n.canon = v.canon ${ASIDE}`,
}, { owner: 'metadata.walk', tables: TABLE_KEYS });

/** What a space has, together with whether there is such a space: SQLite is asked for that by
 *  itself. No row: there is none; a row without an id of its own: the space has nothing. */
export const SPACE_STATEMENTS = namedTable<'locksOf' | 'grantsOf' | 'usageOf'>({
  locksOf: `SELECT l.token, l.node_id, l.scope, l.depth, l.owner_xml, l.holder, l.expires_at
    FROM space s LEFT JOIN dav_lock l ON l.space_id = s.id AND l.expires_at > @at
    WHERE s.id = @space ORDER BY l.token`,
  grantsOf: `SELECT ${GRANT_COLUMNS}
    FROM space s LEFT JOIN access_grant g ON g.space_id = s.id
      LEFT JOIN grant_count c ON c.grant_id = g.id
    WHERE s.id = @space ORDER BY g.id`,
  usageOf: `SELECT ${SPACE}, (${ACCESS_READS.sumReservations}), t.quota_bytes
    FROM space s JOIN folder f ON f.space_id = s.id AND f.id = s.root_id
      LEFT JOIN tenant t ON t.id = s.tenant
    WHERE s.id = @space`,
}, { owner: 'metadata.space', tables: TABLE_KEYS });

/** Grants to many at once: SQLite is asked for each by itself, which costs nothing. `@subjects`
 *  is a list of pairs as JSON: the kind's number and the text. */
export const GRANT_STATEMENTS = namedTable<'grantsToAny'>({
  grantsToAny: `SELECT ${GRANT_COLUMNS}
    FROM (SELECT j.kind, j.subject FROM JSON_TABLE(@subjects, '$[*]'
        COLUMNS (kind SMALLINT PATH '$[0]', subject VARCHAR(255) PATH '$[1]')) j) wanted
      STRAIGHT_JOIN access_grant g
        ON g.subject_kind = wanted.kind AND g.subject = wanted.subject
      LEFT JOIN grant_count c ON c.grant_id = g.id
    WHERE g.is_shown = 1 ORDER BY g.id LIMIT @count`,
}, { owner: 'metadata.grants', tables: TABLE_KEYS });
