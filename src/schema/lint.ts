/** What is wrong with a list of changes, before any of them meets a shard. Rules are about what
 *  would hurt the program of the version before, or whoever writes meanwhile. */
import type { Catalogue } from './catalogue.ts';
import type { Engine, Family, SchemaChange, SchemaStep } from './change.ts';
import { stepsOf } from './change.ts';

export interface LintFinding {
  readonly changeId: string;
  /** For people: what is wrong, and what to do. */
  readonly problem: string;
}

export type Goldens = Readonly<Record<Family, Readonly<Record<Engine, Catalogue>>>>;

const ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const ID_LENGTH_MAX = 64;
const VERSION = /^\d+\.\d+\.\d+$/;
const WRITES = /^\s*(UPDATE|DELETE|INSERT|REPLACE|TRUNCATE)\b/i;
const TAKES_AWAY = /\b(DROP|RENAME|TRUNCATE)\b/i;
const NEW_COLUMN = /\bADD (?:COLUMN )?(?!CONSTRAINT|INDEX|KEY|PRIMARY|UNIQUE|FOREIGN)\w+ /i;
const NEW_TYPE = /\b(?:MODIFY|CHANGE)\s+(?:COLUMN\s+)?(\w+)\s+(\w+(?:\(\d+\))?)/i;
const COPIES = /\b(MODIFY|CHANGE|CONVERT TO|(ADD|DROP) PRIMARY KEY|ENGINE\s*=|ROW_FORMAT\s*=)/i;
const READS_ALL = /\b(ADD|CREATE)\s+(UNIQUE\s+)?(INDEX|KEY)\b/i;
const CREATE = /^\s*CREATE TABLE\b/i;
const COLLATION = /\bCOLLATE\s*=?\s*(\w+)/gi;
const OURS = 'utf8mb4_nopad_bin';

/** Everything, at once. Empty for a list that may be run. */
export function lint(changes: readonly SchemaChange[], goldens: Goldens): LintFinding[] {
  return changes.flatMap((change, at) => {
    const before = changes.slice(0, at);
    return [
      ...lintOrder(change, before), ...lintRows(change, goldens), ...lintSteps(change, goldens),
    ].map((problem) => ({ changeId: change.id, problem }));
  });
}

function* lintOrder(change: SchemaChange, before: readonly SchemaChange[]): Iterable<string> {
  const { id, minCode, after, kind, family } = change;
  if (!ID.test(id) || id.length > ID_LENGTH_MAX) {
    yield 'an id is of small letters, digits and hyphens';
  }
  if (before.some((other) => other.id === id)) yield 'this id is taken by an earlier change';
  if (!VERSION.test(minCode)) yield 'minCode is a version, such as 1.2.0';
  if (kind === 'contract' && after === undefined) {
    yield 'a contract names the change that it ends: after';
  }
  const earlier = before.find((other) => other.id === after);
  if (after !== undefined && earlier === undefined) yield `${after} does not stand before it`;
  if (earlier !== undefined && earlier.family !== family) yield `${after} is about other tables`;
}

function* lintRows(change: SchemaChange, goldens: Goldens): Iterable<string> {
  const rows = change.kind === 'expand' ? undefined : change.rows;
  if (rows === undefined) return;
  for (const engine of ['sqlite', 'mariadb'] as const) {
    const table = goldens[change.family][engine].find(({ name }) => name === rows.table);
    if (table === undefined) {
      yield `there is no table ${rows.table}`;
      continue;
    }
    const key = table.indexes.find(({ name }) => name === 'PRIMARY')?.columns ?? [];
    if (key.join() !== rows.key.join()) {
      yield `the key of ${rows.table} is (${key.join(', ')}): rows are swept in its order`;
    }
    const form = table.columns.find(({ name }) => name === rows.versionColumn);
    if (form === undefined || form.isNullable || form.default !== '0') {
      yield `${rows.versionColumn} of ${rows.table} must be NOT NULL DEFAULT 0: rows of programs `
        + 'that do not know it are of form 0';
    }
  }
}

function* lintSteps(change: SchemaChange, goldens: Goldens): Iterable<string> {
  for (const step of stepsOf(change)) {
    for (const engine of ['sqlite', 'mariadb'] as const) {
      const golden = goldens[change.family][engine];
      for (const problem of lintStatement(change, step, { engine, golden })) {
        yield `${engine}: ${problem}`;
      }
    }
  }
}

interface Where { readonly engine: Engine; readonly golden: Catalogue }

function* lintStatement(
  change: SchemaChange, { effect, ...step }: SchemaStep, { engine, golden }: Where,
): Iterable<string> {
  const text = step[engine];
  if (text.includes(';')) yield 'a step is one statement';
  const named = [effect.table, effect.column, effect.index].filter((name) => name !== undefined);
  for (const name of named) {
    const isNamed = new RegExp(`\\b${name}\\b`).test(text);
    if (!isNamed) yield `its effect names ${name}, the statement does not`;
  }
  if (WRITES.test(text)) {
    yield 'rows are changed by a backfill, in chunks, not by a statement over a whole table';
  }
  if (change.kind === 'expand') yield* lintExpand(text, { engine, golden });
  if (change.kind !== 'backfill' && engine === 'mariadb') {
    yield* lintCost(text, change.algorithm);
  }
  if (CREATE.test(text)) yield* lintNewTable(text, engine);
  else yield* lintCollations(text, engine);
}

function* lintExpand(text: string, where: Where): Iterable<string> {
  const word = TAKES_AWAY.exec(text)?.[1];
  if (word !== undefined) {
    yield `${word.toUpperCase()} does not belong into an expand: the version before still reads `
      + 'what is there; make it a contract';
  }
  const isBare = NEW_COLUMN.test(text) && /\bNOT NULL\b/i.test(text) && !/\bDEFAULT\b/i.test(text);
  if (isBare) {
    yield 'a new column that is NOT NULL needs a DEFAULT: the version before writes rows without '
      + 'it';
  }
  yield* lintNewType(text, where);
}

function* lintNewType(text: string, { golden }: Where): Iterable<string> {
  const [, column, written = ''] = NEW_TYPE.exec(text) ?? [];
  if (column === undefined) return;
  const table = /\bALTER TABLE (\w+)/i.exec(text)?.[1];
  const before = golden.find(({ name }) => name === table)?.columns
    .find(({ name }) => name === column)?.type;
  if (before === undefined) yield `${table}.${column} is not there`;
  else if (isNarrower(written.toLowerCase(), before)) {
    yield `${table}.${column} would shrink from ${before} to ${written.toLowerCase()}: the version `
      + 'before writes what no longer fits; make it a contract';
  }
}

const WIDTHS: readonly (readonly string[])[] = [
  ['tinyint', 'smallint', 'mediumint', 'int', 'bigint'],
  ['tinytext', 'text', 'mediumtext', 'longtext'],
  ['tinyblob', 'blob', 'mediumblob', 'longblob'],
];

/** Another kind of type counts as narrower: nobody knows what no longer fits. */
function isNarrower(type: string, before: string): boolean {
  const [name = '', length] = type.split(/[()]/);
  const [nameBefore = '', lengthBefore] = before.split(/[()]/);
  if (name === nameBefore) return Number(length ?? 0) < Number(lengthBefore ?? 0);
  const widths = WIDTHS.find((each) => each.includes(nameBefore)) ?? [];
  return !widths.includes(name) || widths.indexOf(name) < widths.indexOf(nameBefore);
}

function* lintCost(text: string, algorithm: string): Iterable<string> {
  if (/\b(ALGORITHM|LOCK)\s*=/i.test(text)) yield 'the runner itself says ALGORITHM and LOCK';
  if (!CREATE.test(text) && COPIES.test(text) && algorithm !== 'copy') {
    yield `this writes the table anew and is not ${algorithm}: say copy, or find another way`;
  }
  if (READS_ALL.test(text) && algorithm === 'instant') {
    yield 'a new index reads the whole table and is not instant: say inplace';
  }
}

function* lintNewTable(text: string, engine: Engine): Iterable<string> {
  if (!/\bPRIMARY KEY\b/i.test(text)) yield 'a table needs a primary key';
  if (engine === 'mariadb' && !/\bCOLLATE\b/i.test(text)) {
    yield `a new table names its collation: COLLATE ${OURS}`;
  }
  if (engine === 'mariadb' && !/\bENGINE\s*=\s*InnoDB\b/i.test(text)) {
    yield 'a new table names its engine: ENGINE = InnoDB';
  }
  yield* lintCollations(text, engine);
}

function* lintCollations(text: string, engine: Engine): Iterable<string> {
  for (const [, collation] of text.matchAll(COLLATION)) {
    if (engine === 'mariadb' && collation !== OURS) {
      yield `${collation} compares texts in another way than all other tables: ${OURS}`;
    }
    if (engine === 'sqlite' && collation?.toUpperCase() !== 'BINARY') {
      yield `${collation} compares texts in another way than all other tables: leave it out`;
    }
  }
}
