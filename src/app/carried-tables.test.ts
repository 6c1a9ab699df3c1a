/** What is carried between files and a server, held against the tables that both really have. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { IDENTITY_TABLES } from '../identity/stores/mariadb/identity-schema.ts';
import { IDENTITY_NOT_CARRIED } from '../identity/stores/sql/carried-tables.ts';
import { DIRECTORY_TABLES } from '../metadata/shards/stores/mariadb/directory-schema.ts';
import { TABLES } from '../metadata/stores/mariadb/schema.ts';
import { METADATA_NOT_CARRIED } from '../metadata/stores/rows/carried-tables.ts';
import { systemClock } from '../platform/index.ts';
import { KEYED_REQUESTS_NOT_CARRIED } from '../protocols/rest/idempotency/stores/carried-tables.ts';
import {
  KEYED_REQUEST_TABLES,
} from '../protocols/rest/idempotency/stores/mariadb/keyed-request-schema.ts';
import { columnsOf } from '../tables/index.ts';
import type { CarriedTable } from '../tables/index.ts';
import { sectionsOf } from './database-sections.ts';

const ON_MARIADB: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'identity.db': IDENTITY_TABLES, 'directory.db': DIRECTORY_TABLES,
  'api.db': KEYED_REQUEST_TABLES, 'metadata.db': TABLES,
};
const STAYING: Readonly<Record<string, string>> = {
  ...IDENTITY_NOT_CARRIED, ...METADATA_NOT_CARRIED, ...KEYED_REQUESTS_NOT_CARRIED,
};
const SHAPES_DIFFER = ['directory'];

/** Columns and primary key, from the text that makes the table. */
function shapeOnMariadb(text: string): { columns: string[]; key: string } {
  const parts = text.replaceAll(/\([^()]*\)/g, (list) => list.replaceAll(',', '+')).split(',')
    .map((part) => part.trim());
  const columns = parts.filter((part) => /^[a-z]/.test(part)).map((part) => part.split(' ')[0]);
  const [, key = ''] = /PRIMARY KEY \(([^)]*)\)/.exec(text) ?? [];
  return { columns: columns.filter((column) => column !== undefined).sort(), key };
}

describe('what is carried between files and a server', () => {
  for (const { name, file, tables, open } of sectionsOf({ hasDirectory: true })) {
    it(`has every table and column of ${name}, or says why not`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'holdfast-carried-'));
      await open(join(folder, file), { create: true, clock: systemClock });
      const database = new DatabaseSync(join(folder, file), { readOnly: true });
      const names = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'
        AND name NOT LIKE 'sqlite%' ORDER BY name`).all().map((row) => String(row['name']));
      assert.deepEqual(names.filter((each) => !(each in STAYING)),
        tables.map((table) => table.name).sort());
      for (const table of tables.filter((each) => !SHAPES_DIFFER.includes(each.name))) {
        const rows = database.prepare(`PRAGMA table_info(${table.name})`).all();
        const columns = rows.map((row) => String(row['name'])).sort();
        const described = columnsOf(table).filter((column) => column !== 'rowid').toSorted();
        assert.deepEqual(described, columns, table.name);
        const key = rows.filter((row) => Number(row['pk']) > 0)
          .toSorted((a, b) => Number(a['pk']) - Number(b['pk'])).map((row) => row['name']);
        assert.deepEqual(table.key.filter((column) => column !== 'rowid'), key, table.name);
      }
      database.close();
      await rm(folder, { recursive: true });
    });

    it(`knows the tables and columns that ${name} has on MariaDB`, () => {
      const there = ON_MARIADB[file] ?? {};
      assert.deepEqual(Object.keys(there).filter((each) => !(each in STAYING)).sort(),
        tables.map((table) => table.onMariadb?.name ?? table.name).sort());
      for (const table of tables) checkOnMariadb(table, there);
    });
  }
});

function checkOnMariadb(table: CarriedTable, there: Readonly<Record<string, string>>): void {
  const { columns: renamed = {}, made = {}, name = table.name } = table.onMariadb ?? {};
  const { columns, key } = shapeOnMariadb(there[name] ?? '');
  const own = (column: string): string => renamed[column] ?? column;
  assert.deepEqual([...columnsOf(table).map(own), ...Object.keys(made)].sort(), columns, name);
  const isWhole = (table.orderedBy ?? table.key.length) === table.key.length;
  if (isWhole) assert.equal(table.key.map(own).join(', '), key, name);
}
