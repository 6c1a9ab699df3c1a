/** How SQLite would run each statement. It plans without figures of what is in the tables, so empty
 *  ones tell as much as full ones. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { SpaceId } from '../../../base/ids.ts';
import { walksOf } from '../../../platform/sql/testing/index.ts';
import { notedMove } from '../../move/testing/noted-move.ts';
import { SqlTenantRows } from '../rows/sql-tenant-rows.ts';
import { openConnection } from './connection.ts';
import type { Connection } from './connection.ts';
import { createDatabaseFile } from './database-file.ts';
import { PAST_SQL } from './reader/past-statements.ts';
import { READ_SQL } from './reader/read-statements.ts';
import { FIGURES_SQL } from './shard-figures.ts';
import { WRITER_SQL } from './statements.ts';

/** What passes over a whole table, or all that a space has in one, and why that may be. All else is
 *  searched by a key. */
const WALKS: Readonly<Record<string, readonly string[]>> = {
  'a row for each volume, and all are wanted': ['listWitness', 'getWitness'],
  'tenants that move, or have moved away': ['listAway'],
  'a row for each space, counted for an administrator': ['countSpaces'],
  'what a crash has left, looked at by the start': ['listCopyJobs'],
  'uploads that are under way': ['listReservations', 'sumReservations', 'sumTenantReservations'],
  'what the statement has found itself': ['listFewChains', 'listManyChains', 'countOlderFiles'],
  'one row of a space': ['getFloor', 'updateFloor'],
  'grants, mounts and locks of a space, which are bounded': [
    'countGrants', 'listGrants', 'listPastGrants', 'countMounts', 'listMounts', 'listAllMounts',
    'countDeclined', 'listDeclined', 'listLocks',
  ],
};
/** The same of what moves tenants: the table that a statement names first, and what it does. */
const MOVE_WALKS: Readonly<Record<string, readonly string[]>> = {
  'what the statement has found itself': ['property: SEARCH n', 'access_grant: SCAN g'],
  'copies under way': [
    'copy_job: SCAN t', 'copy_job: SEARCH t USING PRIMARY KEY (first_id>?)',
  ],
  'devices that were held back, and, of spaces that have some, what was held': [
    'quarantine: SCAN quarantine', 'quarantine: SCAN t',
    'quarantine: SEARCH t USING PRIMARY KEY (id>?)',
  ],
  'tenants that move': ['move_capture: SCAN move_capture', 'move_log: SCAN move_capture'],
  'a row for each volume': ['witness: SCAN witness'],
};
/** Nothing of a table: a row that is made of values, or what a part of the statement answers. */
const OF_NO_TABLE = /^SCAN (?:CONSTANT ROW|\(subquery-\d+\))$/;

describe('Statements in SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-plans-'));
  let connection: Connection;
  before(() => {
    const file = join(folder, 'metadata.db');
    createDatabaseFile(file);
    connection = openConnection(file, { readonly: false, cacheKib: 1_024 });
  });
  after(() => {
    connection.close();
    rmSync(folder, { recursive: true });
  });

  /** What it passes over, be it the table or an index of it. */
  const scansOf = (sql: string): string[] => {
    const placed = sql.replaceAll(/\?\d*|@\w+/g, '?');
    const values = Array.from(placed.matchAll(/\?/g), () => null);
    const rows = connection.prepare(`EXPLAIN QUERY PLAN ${placed}`).all(...values) as
      { detail: string }[];
    assert.ok(rows.length > 0 || /^INSERT/.test(sql), sql);
    const details = rows.map(({ detail }) => detail);
    return details.filter((each) => (
      /^SCAN |\(space_id=\?\)$/.test(each) && !OF_NO_TABLE.test(each)));
  };

  it('search by keys, but for those of which is said why not', () => {
    const all = [READ_SQL, PAST_SQL, WRITER_SQL, FIGURES_SQL]
      .flatMap((table) => Object.entries<string>(table))
      .filter(([, sql]) => !/^(BEGIN|COMMIT|ROLLBACK)/.test(sql));
    assert.ok(all.length > 150, `${all.length} statements`);
    const walking = all.filter(([, sql]) => scansOf(sql).length > 0).map(([name]) => name);
    assert.deepEqual([...new Set(walking)].toSorted(), Object.values(WALKS).flat().toSorted());
  });

  it('search by keys, too, when they move a tenant', async () => {
    const { reads, writes } = await notedMove('sqlite');
    const texts = new Set([...reads, ...writes].map(({ text }) => text));
    const walking = [...texts].flatMap((text) => walksOf(connection, text).map((walk) => (
      `${/\b(?:FROM|INTO|UPDATE) ([a-z_]+)/.exec(text)?.[1] ?? text}: ${walk}`)));
    const known = Object.values(MOVE_WALKS).flat();
    assert.deepEqual([...new Set(walking)].toSorted(), known.toSorted());
    assert.ok(texts.size > 200, `${texts.size} statements`);
  });

  it('do not look through what was held back for a space where nothing was', async () => {
    const asked: string[] = [];
    const rows = new SqlTenantRows({
      dialect: 'sqlite',
      read: async ({ text }) => (asked.push(text), []),
      write: async () => 0, triggers: async () => [], alter: async () => undefined,
    });
    const part = { kind: 'space', id: 1 as SpaceId, owner: null } as const;
    assert.deepEqual(await rows.readRange('held_change', part, { limit: 9 }), []);
    assert.deepEqual(asked, ['SELECT 1 FROM quarantine WHERE space_id = ? LIMIT 1']);
  });

  it('would be found if they did not', () => {
    assert.deepEqual(scansOf('SELECT id FROM node WHERE size_bytes > ?'), ['SCAN node']);
    assert.equal(scansOf('DELETE FROM event WHERE at < ?').length, 1);
    assert.equal(scansOf('SELECT COUNT(*) FROM node').length, 1, 'also by an index');
    assert.equal(scansOf('SELECT id FROM node WHERE space_id = ? AND mark > ?').length, 1);
  });
});
