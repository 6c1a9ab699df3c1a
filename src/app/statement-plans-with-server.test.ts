/**
 * How a MariaDB server would run each statement of the registry, whoever owns it. Method: every
 * module that enters statements is loaded, every table is made and filled with rows that differ in
 * all columns, and every statement explained. So what lacks a key shows as a scan, and a new
 * statement is looked at without being listed here.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Session, statements } from '../platform/mariadb/index.ts';
import type { RegisteredStatement, ServerAddress, SqlValue } from '../platform/mariadb/index.ts';
import { ScratchServer, numbersTo, planOf } from '../platform/mariadb/testing/index.ts';
import { gatheredTexts } from '../metadata/stores/mariadb/writer/bulk-statements.ts';
import { aheadTexts } from '../metadata/stores/mariadb/writer/fetch-ahead.ts';

const ROWS = 1_500;

/** Read a table whole on purpose, and why that is no harm. */
const WHOLE: Readonly<Record<string, string>> = {
  'metadata.writer.listAway': 'tenants that are moving or have moved',
  'metadata.writer.listCopyJobs': 'copies under way',
  'metadata.writer.getWitness': 'a row for each volume',
  'metadata.writer.listReservations': 'uploads under way, read when a writer begins',
  'metadata.open.listSilentWriters': 'a row for each process of a month',
  'metadata.figures.countSpacesByTenant': 'asked by an administrator',
  'metadata.figures.listMeta': 'a dozen rows',
  'metadata.reader.listWitness': 'a row for each volume',
  'durability.verify.verifySpaces': 'verifiers look at everything',
  'durability.verify.verifyMarks': 'a row for each volume',
  'identity.forgetIdentityWriters': 'a row for each process of a month',
  'identity.findSetupLink': 'one row at most',
  'identity.deleteExpiredLinks': 'one row at most',
  'identity.countFlows': 'bounded: sign-ins under way',
  'identity.listTenants': 'all of them are wanted',
  'identity.countTenants': 'all of them are counted',
  'directory.listShards': 'all of them are wanted',
  'directory.listPlaces': 'all of them are wanted, when the directory has changed',
  'directory.listMovedSpaces': 'all of them are wanted, when the directory has changed',
  'cluster.listLeases': 'a dozen rows',
  'cluster.listNodes': 'a row for each web node',
  'homes.listHomes': '64 at most',
  'metadata.moves.listMoves': 'a row for each tenant that moves or has moved within a day',
  'metadata.drains.listDrains': 'a row for each shard that is or was emptied',
  'identity.failures.countFailures': '100 000 at most, counted once a minute where some failed',
  'homes.addHome': '64 at most',
  'webhooks.listRevs': '500 at most',
  'webhooks.addWebhook': 'counts 500 at most',
  'keyed-requests.sweepKeyWriters': 'a row for each process of a month',
  'platform.known.sweepNodeTurns': 'a row for each process of a month',
};

const SRC = join(import.meta.dirname, '..');
const ENTERS =
  /\b(?:namedTable|namedSql|statements\.enter|registry\.enter)\(|TABLE_KEYS|_TABLES: Readonly/;

/** All that enter statements when they are loaded, or say which tables there are, but for what
 *  begins to work then. */
function owners(): string[] {
  return readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|-thread\.ts$|\/testing\//.test(path))
    .map((path) => join(SRC, path))
    .filter((path) => ENTERS.test(readFileSync(path, 'utf8')));
}

interface Column {
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly isMade: boolean;
}

let server: ScratchServer;
let address: ServerAddress;
let session: Session;
let columns: Column[];

/** Whatever a module says of its tables: maps from a name to what stands between the brackets. */
function tablesOf(module: Readonly<Record<string, unknown>>): [name: string, columns: string][] {
  return Object.entries(module).filter(([name]) => /^(?:\w+_)?TABLES$/.test(name))
    .flatMap(([, value]) => (typeof value === 'object' && value !== null
      ? Object.entries(value as Record<string, unknown>) : []))
    .filter((entry): entry is [string, string] => typeof entry[1] === 'string'
      && /PRIMARY KEY/.test(entry[1]));
}

type Maker = (on: Session) => Promise<void>;

/** Others make their tables themselves, on a session that they are given. */
function makersIn(module: Readonly<Record<string, unknown>>): Maker[] {
  return Object.values(module).filter((each): each is Maker =>
    typeof each === 'function' && /^ensure\w+Tables$/.test(each.name) && each.length === 1);
}

function valueOf({ type }: Column): string {
  if (/int/.test(type)) return 'seq';
  if (/binary|blob/.test(type)) return 'UNHEX(SHA2(seq, 256))';
  return 'CONCAT(\'k\', seq)';
}

async function fill(table: string): Promise<void> {
  const own = columns.filter((column) => column.table === table && !column.isMade);
  await session.run(`INSERT IGNORE INTO ${table} (${own.map(({ name }) => name).join(', ')})
    SELECT ${own.map(valueOf).join(', ')} FROM ${numbersTo(ROWS)}`);
  await session.run(`ANALYZE TABLE ${table}`);
}

before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
  session = await Session.open(address, 'schema');
  for (const path of owners()) {
    const module = await import(path) as Record<string, unknown>;
    for (const make of makersIn(module)) await make(session);
    for (const [name, definition] of tablesOf(module)) {
      await session.run(`CREATE TABLE IF NOT EXISTS ${name} (${definition})
        ENGINE = InnoDB CHARACTER SET utf8mb4 COLLATE ${session.collation}`);
    }
  }
  gatheredTexts(8);
  aheadTexts();
  const { rows } = await session.run(`SELECT table_name, column_name, data_type, extra
    FROM information_schema.columns WHERE table_schema = DATABASE()`);
  columns = (rows as string[][]).map(([table = '', name = '', type = '', extra = '']) =>
    ({ table, name, type, isMade: /auto_increment|GENERATED/i.test(extra) }));
  for (const table of new Set(columns.map(({ table: name }) => name))) await fill(table);
});
after(async () => {
  await session.end();
  await server.stop();
});

/** At the end of what stands before a value: the table's other name, the column, the sign. */
const COMPARED =
  /(?:\b([a-z]+)\.)?([a-z_]+)\s*(=|<>|<=?|>=?|IN \(|BETWEEN)\s*(?:\?, |\? AND )*$/;

/** A value that few rows have, of the kind of the column that it is compared with. */
function sampleFor(text: string, at: number): SqlValue {
  const before = text.slice(0, at);
  if (/JSON_TABLE\(\s*$/.test(before)) return '[]';
  if (/\b(?:LIMIT|OFFSET) $/.test(before)) return 1;
  const [, made = ''] = /^\? AS (v\d+)/.exec(text.slice(at)) ?? [];
  const joined = made === '' ? [] : new RegExp(`([a-z_]+) = v\\.${made}\\b`).exec(text) ?? [];
  const [, alias = '', name = joined[1] ?? '', sign = '='] = COMPARED.exec(before) ?? [];
  const named = [...text.matchAll(/\b(?:FROM|JOIN|INTO|UPDATE)\s+([a-z_]+)(?: ([a-z]+)\b)?/g)];
  const meant = named.filter(([, , other]) => alias !== '' && other === alias);
  const tables = new Set((meant.length > 0 ? meant : named).map(([, table = '']) => table));
  const column = columns.find((each) => each.name === name && tables.has(each.table));
  const isText = column !== undefined && !/int/.test(column.type);
  if (sign.startsWith('>')) return isText ? 'k99' : ROWS - 100;
  if (sign.startsWith('<')) return isText ? 'k1001' : 100;
  return isText ? 'k700' : 700;
}

function samplesFor(text: string): SqlValue[] {
  return [...text.matchAll(/\?/g)].map(({ index }) => sampleFor(text, index));
}

async function scansOf({ text }: RegisteredStatement): Promise<string[]> {
  const plan = await planOf(session, text, samplesFor(text));
  return plan.flatMap(({ table: alias, type, rows: readCount }) => {
    const [, named = alias] = new RegExp(`\\b(?:FROM|JOIN|UPDATE)\\s+(\\w+) ${alias}\\b`)
      .exec(text) ?? [];
    const isKnown = columns.some(({ table }) => table === named);
    const isScan = type === 'ALL' || (type === 'index' && readCount > ROWS / 10);
    return isScan && isKnown ? [`${type} of ${named}`] : [];
  });
}

describe('The statements of the registry', () => {
  it('search by keys, but for those of which is said why not', async () => {
    const asked = [...statements].filter(({ kind, text }) =>
      kind !== 'session' && !/\*\/ INSERT (?:IGNORE )?INTO \w+ \([^)]*\) VALUES/.test(text)
      && !text.includes('information_schema') && !/@@|VERSION\(\)/.test(text));
    const found: string[] = [];
    for (const statement of asked) {
      const scans = await scansOf(statement);
      if (scans.length > 0 && WHOLE[statement.name] === undefined) {
        found.push(`${statement.name}: ${scans.join(', ')}`);
      }
    }
    assert.deepEqual(found, []);
    assert.ok(asked.length > 200, `${asked.length} statements`);
    const known = new Set([...statements].map(({ name }) => name));
    assert.deepEqual(Object.keys(WHOLE).filter((name) => !known.has(name)), []);
  });
});
