import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { differences, digestOf } from './catalogue.ts';
import { driftText, findDrift } from './drift.ts';
import { sqliteGolden } from './stores/sqlite/sqlite-catalogue.ts';
import { SqliteSession } from './stores/sqlite/sqlite-session.ts';
import { PERSON_CHANGES, PERSON_GOLDENS } from './testing/fixture-changes.ts';
import { sqliteFixture } from './testing/sqlite-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-drift-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const texts = (golden: string, actual: string): string[] => (
  differences(sqliteGolden(golden), sqliteGolden(actual)).map((drift) => driftText('s', drift)));

describe('What differs between two catalogues', () => {
  const golden = `CREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, size INT);
    CREATE UNIQUE INDEX a_by_name ON a (name); CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY)`;

  it('is nothing for the same tables, and then the digests agree', () => {
    assert.deepEqual(texts(golden, golden), []);
    assert.equal(digestOf(sqliteGolden(golden)), digestOf(sqliteGolden(golden)));
  });

  it('names table, column and index', () => {
    const cases: [from: string, to: string, said: string[]][] = [
      ['name TEXT NOT NULL', 'name BLOB NOT NULL',
        ['s: a.name is blob NOT NULL; it should be text NOT NULL']],
      [', size INT', '', ['s: a.size is missing']],
      ['size INT', 'size INT, more INT', ['s: a.more is not known to this program']],
      ['size INT', 'size INT DEFAULT 1',
        ['s: a.size is int NULL DEFAULT 1; it should be int NULL']],
      ['CREATE UNIQUE INDEX a_by_name', 'CREATE INDEX a_by_name',
        ['s: a index a_by_name is (name); it should be UNIQUE (name)']],
      ['CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY)', '', ['s: b is missing']],
      ['name TEXT NOT NULL, size INT', 'size INT, name TEXT NOT NULL',
        ['s: a.size stands in another place']],
      ['CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY)',
        'CREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY) WITHOUT ROWID',
        ['s: b is without rowid; it should be with rowid']],
    ];
    for (const [from, to, said] of cases) {
      const changed = golden.replace(from, to);
      assert.deepEqual(texts(golden, changed), said);
      assert.notEqual(digestOf(sqliteGolden(golden)), digestOf(sqliteGolden(changed)));
    }
  });
});

describe('Drift', () => {
  it('is found in the shards that have it; changes that are under way are none', async () => {
    const files = ['one', 'two', 'three', 'four'].map((name) => join(folder, `${name}.db`));
    const shards = await Promise.all(files.map(async (file) => (await sqliteFixture(file)).shard));
    const look = () => findDrift(shards, { changes: PERSON_CHANGES, goldens: PERSON_GOLDENS });
    assert.deepEqual((await look()).map(({ drifts }) => drifts.length), [0, 0, 0, 0]);
    const [first] = shards;
    const target = await first?.open();
    const [expand] = PERSON_CHANGES;
    assert.ok(expand !== undefined && target !== undefined);
    await target.runStep(expand, 0, 1);
    assert.deepEqual((await look()).map(({ drifts }) => drifts.length), [0, 0, 0, 0]);
    await target.runStep(expand, 1, 1);
    assert.deepEqual((await look()).map(({ drifts }) => drifts.length), [0, 0, 0, 0]);
    await target.close();
    const session = await SqliteSession.open(files[2] ?? '', { create: false });
    await session.alter('ALTER TABLE person ADD COLUMN by_hand TEXT');
    await session.close();
    rmSync(files[3] ?? '');
    const found = await look();
    assert.deepEqual(found.flatMap(({ shard, drifts }) => drifts.map((one) => (
      driftText(shard, one)))), ['three: person.by_hand is not known to this program']);
    assert.match(found[3]?.problem ?? '', /cannot be used/);
  });

  it('is not swallowed when looking is a mistake of ours', async () => {
    const shard = {
      name: 'x', family: 'metadata', engine: 'sqlite',
      open: async () => { throw new TypeError('a bug'); },
    } as const;
    await assert.rejects(findDrift([shard], { changes: [], goldens: PERSON_GOLDENS }), TypeError);
    const away = { ...shard, open: async () => {
      throw new HoldfastError('unavailable', 'test', 'It is away.');
    } };
    const [found] = await findDrift([away], { changes: [], goldens: PERSON_GOLDENS });
    assert.equal(found?.problem, 'It is away.');
  });
});
