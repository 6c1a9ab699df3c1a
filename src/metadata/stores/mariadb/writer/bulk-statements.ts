/**
 * Statements for many rows at once. An INSERT takes more rows; a change of rows that are there is
 * joined with a table of what is to change, made of the values. Either way the text depends only on
 * the number of rows, which is a power of two, so there are few and each is prepared once.
 */
import type { NamedSql, SqlValue } from '../../../../platform/mariadb/index.ts';
import { ownerOf, statements } from '../../../../platform/mariadb/index.ts';
import type { StatementName } from '../../sqlite/statements.ts';
import type { Step } from '../line/line-messages.ts';
import { WRITER_OWNER, WRITER_STATEMENTS } from './writer-statements.ts';

const ROWS_MAX = 64;
/** Well below the smallest packet that we accept: see server-settings.ts. */
const ROWS_BYTES_MAX = 4 * 1024 * 1024;

/** What is done with the rows `v`, whose columns are the values in their order, `v0`, `v1` … */
const BY_ROWS: Partial<Record<StatementName, (rows: string) => string>> = {
  closeNode: (rows) => `INSERT INTO node_past (space_id, parent_id, rev_to, id, canon, name, kind,
      size_bytes, modified_at, created_at, mark, content_rev, checksums, rev_from)
    SELECT n.space_id, n.parent_id, v.v0, n.id, n.canon, n.name, n.kind, n.size_bytes,
      n.modified_at, n.created_at, n.mark, n.content_rev, n.checksums, n.rev_from
    FROM (${rows}) v STRAIGHT_JOIN node n
      ON n.space_id = v.v1 AND n.parent_id = v.v2 AND n.canon = v.v3`,
  updateContent: (rows) => `UPDATE (${rows}) v STRAIGHT_JOIN node n
      ON n.space_id = v.v7 AND n.parent_id = v.v8 AND n.canon = v.v9
    SET n.size_bytes = v.v0, n.modified_at = v.v1, n.created_at = v.v2, n.mark = v.v3,
      n.content_rev = v.v4, n.checksums = v.v5, n.rev_from = v.v6`,
  deleteNode: (rows) => `DELETE n FROM (${rows}) v STRAIGHT_JOIN node n
      ON n.space_id = v.v0 AND n.parent_id = v.v1 AND n.canon = v.v2`,
  updateSpaceRev: (rows) => `UPDATE (${rows}) v STRAIGHT_JOIN space s ON s.id = v.v2
    SET s.rev = v.v0, s.folders_rev = v.v1`,
  updateAccessRev: (rows) => `UPDATE (${rows}) v STRAIGHT_JOIN space s ON s.id = v.v1
    SET s.access_rev = v.v0`,
  copyVersion: (rows) => `INSERT INTO version (space_id, node_id, content_rev, size_bytes,
      modified_at, checksums, manifest, saved_at, saved_by)
    SELECT v.v0, v.v1, v.v2, f.size_bytes, f.modified_at, f.checksums, f.manifest, f.saved_at,
      f.saved_by
    FROM (${rows}) v STRAIGHT_JOIN version f
      ON f.space_id = v.v3 AND f.node_id = v.v4 AND f.content_rev = v.v5`,
  copyProperties: (rows) => `INSERT INTO property (space_id, node_id, namespace, name, xml, digest)
    SELECT v.v0, v.v1, p.namespace, p.name, p.xml, p.digest
    FROM (${rows}) v STRAIGHT_JOIN property p ON p.space_id = v.v2 AND p.node_id = v.v3`,
  setMeta: (rows) => `UPDATE (${rows}) v STRAIGHT_JOIN meta m ON m.name = v.v1
    SET m.value = v.v0`,
};

const INSERT = /^\/\*.*?\*\/ (INSERT INTO \w+ \([^)]*\) VALUES )(\((?:[^()']|'[^']*')*\))(.*)$/;

interface Bulk {
  readonly width: number;
  readonly text: (rowCount: number) => string;
}

function bulkInsert({ text, slots }: NamedSql): Bulk | undefined {
  const parts = INSERT.exec(text);
  if (parts === null) return undefined;
  const [, head = '', row = '', tail = ''] = parts;
  return {
    width: slots.length,
    text: (rowCount) => head + Array.from({ length: rowCount }, () => row).join(', ') + tail,
  };
}

function bulkByRows({ slots }: NamedSql, sql: (rows: string) => string): Bulk {
  const first = `SELECT ${slots.map((_, index) => `? AS v${index}`).join(', ')}`;
  const next = ` UNION ALL SELECT ${slots.map(() => '?').join(', ')}`;
  return {
    width: slots.length,
    text: (rowCount) => {
      const rows = first + next.repeat(rowCount - 1);
      return sql(rows).replaceAll(/\s+/g, ' ');
    },
  };
}

const BULKS: ReadonlyMap<StatementName, Bulk> = new Map(
  Object.entries(WRITER_STATEMENTS).flatMap(([name, statement]) => {
    const byRows = BY_ROWS[name as StatementName];
    const bulk = byRows === undefined ? bulkInsert(statement) : bulkByRows(statement, byRows);
    return bulk === undefined ? [] : [[name as StatementName, bulk] as const];
  }),
);

const TEXTS = new Map<string, string>();

function textOf(name: StatementName, bulk: Bulk, rowCount: number): string {
  const key = `${name} ${rowCount}`;
  const known = TEXTS.get(key)
    ?? statements.enter(name, bulk.text(rowCount), ownerOf(WRITER_OWNER, name)).text;
  TEXTS.set(key, known);
  return known;
}

export function canGather(name: StatementName): boolean {
  return BULKS.has(name);
}

/** Of all that are joined with rows, the text for so many: for whoever looks at their plans. */
export function gatheredTexts(rowCount: number): string[] {
  return [...BULKS].filter(([name]) => BY_ROWS[name] !== undefined)
    .map(([name, bulk]) => textOf(name, bulk, rowCount));
}

function sizeOf(values: readonly SqlValue[]): number {
  let sizeBytes = 0;
  for (const value of values) {
    if (typeof value === 'string') sizeBytes += value.length * 3;
    else if (value instanceof Uint8Array) sizeBytes += value.byteLength;
  }
  return sizeBytes;
}

/** How many of the rows from `from` on go into the next statement: a power of two. */
function countFrom(rows: readonly (readonly SqlValue[])[], from: number): number {
  let fitting = 0;
  let sizeBytes = 0;
  for (let at = from; at < rows.length && fitting < ROWS_MAX; at += 1) {
    sizeBytes += sizeOf(rows[at] ?? []);
    if (sizeBytes > ROWS_BYTES_MAX) break;
    fitting += 1;
  }
  return 2 ** Math.floor(Math.log2(Math.max(fitting, 1)));
}

/** The same statement with each of these lists of values, in as few steps as may be. */
export function stepsFor(name: StatementName, rows: readonly SqlValue[][]): Step[] {
  const { text } = WRITER_STATEMENTS[name];
  const bulk = BULKS.get(name);
  if (bulk === undefined) return rows.map((values) => ({ text, values }));
  const steps: Step[] = [];
  for (let from = 0; from < rows.length;) {
    const count = countFrom(rows, from);
    const values = rows.slice(from, from + count).flat();
    steps.push({ text: count === 1 ? text : textOf(name, bulk, count), values });
    from += count;
  }
  return steps;
}
