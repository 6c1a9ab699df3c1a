/**
 * 200 files and 8 databases are brought through an expand and a backfill by a process that is
 * killed 20 times: now at some line that it prints, now between a statement and its note. How often
 * tables were altered is counted by those who were altered: an SQLite file counts its changes of
 * schema, a MariaDB server logs every statement.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../platform/index.ts';
import {
  MemoryNodeRegistry,
} from '../platform/cluster/stores/memory/memory-node-registry.ts';
import type { ServerAddress } from '../platform/mariadb/index.ts';
import { ScratchServer } from '../platform/mariadb/testing/index.ts';
import { driftText, findDrift } from './drift.ts';
import { SchemaRunner } from './schema-runner.ts';
import type { SchemaShard } from './schema-target.ts';
import { MemorySchemaBook } from './stores/memory/memory-schema-book.ts';
import { openSqliteBook } from './stores/sqlite/sqlite-schema-book.ts';
import { SqliteSchemaTarget } from './stores/sqlite/sqlite-schema-target.ts';
import { SqliteSession } from './stores/sqlite/sqlite-session.ts';
import { PERSON_CHANGES, PERSON_GOLDENS, PERSON_ROWS } from './testing/fixture-changes.ts';
import { fileOf, manyShards } from './testing/many-shards.ts';
import { mariadbFixture } from './testing/mariadb-fixture.ts';
import { sqliteFixture } from './testing/sqlite-fixture.ts';

const FILE_COUNT = 200;
const DATABASE_COUNT = 8;
const KILL_COUNT = 20;
const DAY_MS = 24 * 60 * 60 * 1000;
const PROGRAM = join(import.meta.dirname, './testing/runner-process.ts');

/** In memory, where the machine has a file system for that. */
function scratchRoot(): string {
  try {
    accessSync('/dev/shm');
    return '/dev/shm';
  } catch (error) {
    if (error instanceof Error) return tmpdir();
    throw error;
  }
}

const folder = mkdtempSync(join(scratchRoot(), 'holdfast-killed-'));
let server: ScratchServer;
let addresses: ServerAddress[];
let shards: SchemaShard[];

before(async () => {
  server = await ScratchServer.start();
  const rows = [1, 2, 3].map((id) => ({ id, full_name: `Given${id} Family${id}`, form: 0 }));
  const first = await sqliteFixture(fileOf(folder, 0));
  await first.insert(rows);
  for (let at = 1; at < FILE_COUNT; at += 1) copyFileSync(fileOf(folder, 0), fileOf(folder, at));
  addresses = [];
  for (let at = 0; at < DATABASE_COUNT; at += 1) {
    const address = await server.makeDatabase();
    addresses.push(address);
    await (await mariadbFixture(address)).insert(rows);
  }
  shards = manyShards({ folder, fileCount: FILE_COUNT, addresses });
  await server.query('SET GLOBAL log_output = \'TABLE\'');
  await server.query('SET GLOBAL general_log = 1');
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs until it ends, or is killed: after so many shards it has altered, or at a failpoint. */
async function runOnce(kill: { afterMade?: number; failpoint?: string }): Promise<{
  lines: string[]; wasKilled: boolean;
}> {
  const told = {
    folder, fileCount: FILE_COUNT, addresses, book: join(folder, 'book.db'),
    ...(kill.failpoint !== undefined && { failpoint: kill.failpoint }),
  };
  const child = spawn(process.execPath, [PROGRAM, JSON.stringify(told)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines: string[] = [];
  let madeCount = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.startsWith('made')) madeCount += 1;
    if (madeCount === kill.afterMade) child.kill('SIGKILL');
  }
  const [, signal] = await ended as [number | null, string | null];
  return { lines, wasKilled: signal === 'SIGKILL' };
}

async function schemaVersionOf(file: string): Promise<number> {
  const session = await SqliteSession.open(file, { create: false, readonly: true });
  const [[version] = []] = await session.query('PRAGMA schema_version');
  await session.close();
  return Number(version);
}

async function countOld(shard: SchemaShard): Promise<number> {
  const target = await shard.open();
  try {
    return await target.countOld(PERSON_ROWS);
  } finally {
    await target.close();
  }
}

describe('208 shards and a runner that is killed 20 times', () => {
  it('are each altered once, and none is left out', async () => {
    const control = join(folder, 'control.db');
    copyFileSync(fileOf(folder, 1), control);
    for (let kill = 0; kill < KILL_COUNT; kill += 1) {
      const { wasKilled, lines } = await runOnce(kill % 2 === 0
        ? { afterMade: 2 + (kill * 5) % 13 }
        : { failpoint: `schema.after-statement:${1 + (kill * 7) % 19}` });
      assert.ok(wasKilled, `run ${kill} was not killed: ${lines.at(-1)}`);
    }
    const { lines } = await runOnce({});
    assert.equal(lines.at(-1), 'end done []');

    await runOnControl(control);
    const wanted = await schemaVersionOf(control);
    for (let at = 0; at < FILE_COUNT; at += 1) {
      assert.equal(await schemaVersionOf(fileOf(folder, at)), wanted, `file-${at}`);
    }
    for (const column of ['given_name', 'family_name']) {
      const [[count] = []] = await server.query(`SELECT COUNT(*) FROM mysql.general_log
        WHERE CONVERT(argument USING utf8mb4) LIKE '%ALTER TABLE person ADD COLUMN ${column} %'
          AND CONVERT(argument USING utf8mb4) NOT LIKE '%general_log%'`);
      assert.equal(Number(count), DATABASE_COUNT, column);
    }
    for (const shard of shards) assert.equal(await countOld(shard), 0, shard.name);
    const looked = await findDrift(shards, { changes: PERSON_CHANGES, goldens: PERSON_GOLDENS });
    assert.deepEqual(looked.filter(({ drifts, problem }) => (
      drifts.length > 0 || problem !== undefined)), []);
  });

  it('refuse a contract that comes early, with what stands in its way', async () => {
    const book = await openSqliteBook(join(folder, 'book.db'));
    const nodes = new MemoryNodeRegistry(systemClock);
    await nodes.enter({ name: 'web-1', incarnation: 'a', version: '1.4.0', place: 'here' }, 0);
    const [file] = shards.filter(({ engine }) => engine === 'sqlite');
    const [address] = addresses;
    assert.ok(file !== undefined && address !== undefined);
    const session = await SqliteSession.open(fileOf(folder, 0), { create: false });
    await session.change('UPDATE person SET form = 0 WHERE id < 3');
    await session.close();
    await server.query('UPDATE person SET form = 0 WHERE id = 1', address.database);
    const outcome = await new SchemaRunner({
      changes: PERSON_CHANGES, shards, book, nodes, clock: systemClock,
      policy: { stepAfterMs: 0, contractAfterMs: 14 * DAY_MS, rowsPerSecond: 1 },
    }).contract('person-full-name-gone');
    assert.equal(outcome.state, 'refused');
    assert.deepEqual(outcome.objections.map(({ reason, count }) => [reason, count]),
      [['time', 14], ['programs', 1], ['rows', 3]]);
    const [, , rows] = outcome.objections;
    assert.equal(rows?.message,
      `3 old rows of person on 2 shards: file-0 (2), ${address.database} (1)`);
    await book.close();
  });

  it('show what was altered by hand: each shard, table and column, and no other', async () => {
    const [, address] = addresses;
    assert.ok(address !== undefined);
    for (const [at, text] of [
      [17, 'ALTER TABLE person DROP COLUMN family_name'],
      [151, 'ALTER TABLE person ADD COLUMN shoe_size INTEGER'],
    ] as const) {
      const session = await SqliteSession.open(fileOf(folder, at), { create: false });
      await session.alter(text);
      await session.close();
    }
    await server.query('ALTER TABLE person MODIFY given_name VARCHAR(100) NULL', address.database);
    const beganMs = systemClock.monotonic();
    const found = await findDrift(shards, { changes: PERSON_CHANGES, goldens: PERSON_GOLDENS });
    const tookMs = systemClock.monotonic() - beganMs;
    assert.deepEqual(found.flatMap(({ shard, drifts }) => (
      drifts.map((drift) => driftText(shard, drift)))), [
      'file-17: person.family_name is missing',
      `${address.database}: person.given_name is varchar(100) NULL utf8mb4_nopad_bin; it should be `
        + 'varchar(255) NULL utf8mb4_nopad_bin',
      'file-151: person.shoe_size is not known to this program',
    ]);
    assert.ok(tookMs < 60_000, `${tookMs} ms`);
  });
});

/** Altered once, by nobody who was killed. */
async function runOnControl(file: string): Promise<void> {
  const shard: SchemaShard = {
    name: 'control', family: 'metadata', engine: 'sqlite',
    open: () => SqliteSchemaTarget.open(file),
  };
  await new SchemaRunner({
    changes: PERSON_CHANGES, shards: [shard], book: new MemorySchemaBook(), clock: systemClock,
    policy: { stepAfterMs: 0, contractAfterMs: 0, rowsPerSecond: 1_000 },
  }).apply();
}
