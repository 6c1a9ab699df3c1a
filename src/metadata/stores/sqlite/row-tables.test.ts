import assert from 'node:assert/strict';
import { it } from 'node:test';
import Database from 'better-sqlite3';
import { ROW_TABLES, STAYING_TABLES } from '../../move/row-tables.ts';
import { SCHEMA } from './schema.ts';

it('every table and column on SQLite moves, or is said to stay', () => {
  const database = new Database(':memory:');
  database.exec(SCHEMA.replaceAll(/INSERT INTO meta[^;]*;/g, ''));
  const names = database.prepare(`SELECT name FROM sqlite_schema WHERE type = 'table'
    AND name NOT LIKE 'sqlite_%' ORDER BY name`).pluck().all() as string[];
  const shapeOf = (name: string): unknown => {
    const columns = database.pragma(`table_info(${name})`) as { name: string; pk: number }[];
    const key = columns.filter(({ pk }) => pk > 0).toSorted((a, b) => a.pk - b.pk);
    return {
      name, key: key.map((each) => each.name), columns: columns.map((each) => each.name).toSorted(),
    };
  };
  const moving = names.filter((name) => !(name in STAYING_TABLES)).map(shapeOf);
  const described = ROW_TABLES.toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, key, columns }) => ({ name, key, columns: columns.toSorted() }));
  assert.deepEqual(moving, described);
  database.close();
});
