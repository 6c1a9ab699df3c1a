/**
 * How the rows of each table belong to a tenant: what a move copies, follows, compares and removes.
 * Tables and columns have the same names on SQLite and on MariaDB. A test holds this against both
 * schemas: a new table or column needs its line here, or a reason why it does not move.
 */

/** How rows belong to a part of a tenant: by `space_id`; as the space's own row; by the owner of
 *  a personal space; by their quarantine's space; by their grant's; as the tenant's own row; as
 *  rules that a space or the tenant has. */
export type Belonging = 'space' | 'self' | 'owner' | 'quarantine' | 'grant' | 'tenant' | 'rules';

export interface RowTable {
  readonly name: string;
  readonly of: Belonging;
  /** Names a row, in all databases. */
  readonly key: readonly string[];
  /** All columns, in the order in which rows give their values. */
  readonly columns: readonly string[];
  /** Rows are read in order of this column alone, all rows with one value together: the databases
   *  keep the rest of the key in different orders. */
  readonly groupedBy?: string;
}

const NODE = ['id', 'name', 'kind', 'size_bytes', 'modified_at', 'created_at', 'mark',
  'content_rev', 'checksums', 'rev_from'] as const;
const GRANT = ['node_id', 'subject_kind', 'subject', 'role', 'is_shown', 'expires_at', 'terms',
  'created_by', 'created_at', 'rev_from'] as const;

function table(
  name: string, of: Belonging, key: readonly string[], others: readonly string[],
): RowTable {
  return { name, of, key, columns: [...key, ...others] };
}

/** In this order they are copied. In the opposite one they are removed: rows that others belong by
 *  go last. */
export const ROW_TABLES: readonly RowTable[] = [
  table('tenant', 'tenant', ['id'], ['quota_bytes']),
  table('retention', 'rules', ['scope', 'id'],
    ['history_keep_days', 'versions_keep_daily_days', 'trash_keep_days']),
  table('space', 'self', ['id'], ['tenant', 'kind', 'name', 'owner', 'root_id', 'rev',
    'folders_rev', 'access_rev', 'case_policy', 'quota_bytes', 'created_at']),
  table('node', 'space', ['space_id', 'parent_id', 'canon'], NODE),
  table('node_past', 'space', ['space_id', 'parent_id', 'canon', 'rev_to'], NODE),
  table('folder', 'space', ['space_id', 'id'], ['mark', 'size_bytes', 'changed_at']),
  table('version', 'space', ['space_id', 'node_id', 'content_rev'], ['size_bytes', 'modified_at',
    'checksums', 'manifest', 'saved_at', 'saved_by']),
  table('event', 'space', ['space_id', 'rev'], ['kind', 'node_id', 'node_kind', 'parent_before',
    'parent_after', 'name_before', 'name_after', 'content_rev', 'by_user', 'device', 'at',
    'copied_node', 'copied_rev', 'copied_count', 'batch_id', 'more', 'from_address']),
  table('trash', 'space', ['space_id', 'deleted_rev'], ['node_id', 'parent_id', 'name', 'kind',
    'size_bytes', 'content_rev', 'deleted_at', 'deleted_by']),
  { ...table('property', 'space', ['space_id', 'node_id', 'namespace', 'name'], ['xml']),
    groupedBy: 'node_id' },
  table('dav_lock', 'space', ['space_id', 'token'], ['node_id', 'scope', 'depth', 'owner_xml',
    'holder', 'expires_at']),
  table('space_past', 'space', ['space_id'], ['rev_floor', 'rev_purged']),
  table('batch', 'space', ['id'], ['space_id', 'kind', 'state', 'node_id', 'as_of', 'undoes',
    'rev_from', 'rev_to', 'done_count', 'skipped_count', 'begun_by', 'device', 'begun_at',
    'ended_at', 'with_sharing']),
  table('copy_job', 'space', ['first_id'], ['space_id', 'node_count']),
  table('mount', 'space', ['space_id', 'node_id'], ['target_space', 'target_node']),
  table('declined_mount', 'space', ['space_id', 'target_space', 'target_node'], []),
  table('reservation', 'space', ['space_id', 'id'], ['bytes', 'expires_at']),
  table('access_grant', 'space', ['id'], ['space_id', ...GRANT]),
  table('access_grant_past', 'space', ['space_id', 'rev_to', 'id'], GRANT),
  table('grant_count', 'grant', ['grant_id'], ['downloads']),
  table('quarantine', 'space', ['id'], ['space_id', 'by_user', 'device_key', 'device', 'state',
    'opened_at', 'opened_rev', 'view_rev', 'held_count', 'held_bytes', 'batch_id', 'decided_by',
    'decided_at']),
  table('held_change', 'quarantine', ['id'], ['quarantine_id', 'node_id', 'kind', 'node_kind',
    'parent_id', 'name', 'base_rev', 'base_content_rev', 'held_at', 'size_bytes', 'modified_at',
    'checksums', 'manifest']),
  table('upload', 'owner', ['owner', 'upload_id'], ['total_bytes', 'created_at', 'expires_at',
    'part_count', 'ended', 'result_space', 'result_node', 'result_mark', 'result_created']),
  table('upload_part', 'owner', ['owner', 'upload_id', 'number'], ['name', 'size_bytes',
    'manifest']),
];

/** Tables that stay where they are, and why. */
export const STAYING_TABLES: Readonly<Record<string, string>> = {
  meta: 'what numbers come next: each shard has numbers of its own',
  witness: 'raised over there to the larger of both',
  placement: 'says of each shard which tenants are at home there',
  move_capture: 'belongs to the move itself',
  move_log: 'belongs to the move itself',
  writer: 'who writes to this very database',
  writer_turn: 'who writes to this very database',
};

/** Columns that MariaDB has beyond those above: made from the row, or of no meaning elsewhere. */
export const MARIADB_EXTRAS: Readonly<Record<string, Readonly<Record<string, {
  readonly sql: string; readonly from: readonly string[];
}>>>> = {
  property: {
    digest: { sql: 'UNHEX(SHA2(CONCAT(?, CHAR(0), ?), 256))', from: ['namespace', 'name'] },
  },
  // A copy whose writer is unknown is swept when a writer starts.
  copy_job: { writer: { sql: '\'\'', from: [] } },
};

/** What a log says when a space was made: all its rows are to be read. */
export const WHOLE_SPACE = '+space';

export function rowTable(name: string): RowTable {
  const found = ROW_TABLES.find((each) => each.name === name);
  if (found === undefined) throw new TypeError(`no table ${name} moves`);
  return found;
}
