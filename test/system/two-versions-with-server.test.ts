/**
 * A real column is replaced on real shards, a file and two databases, while programs of two
 * versions serve the same rules from them and never cease to write. The version before is the
 * program as it is; those after it differ in two statements (see next-version.ts).
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { isKind } from '../../src/base/errors.ts';
import type { RetentionRule } from '../../src/metadata/index.ts';
import { TABLES } from '../../src/metadata/stores/mariadb/schema.ts';
import { openDatabase } from '../../src/metadata/stores/mariadb/open-database.ts';
import { SCHEMA } from '../../src/metadata/stores/sqlite/schema.ts';
import { SqliteMetadataStore } from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import {
  MemoryNodeRegistry,
} from '../../src/platform/cluster/stores/memory/memory-node-registry.ts';
import { systemClock } from '../../src/platform/index.ts';
import type { Clock } from '../../src/platform/index.ts';
import { ScratchServer, letLeastUsersIn } from '../../src/platform/mariadb/testing/index.ts';
import { SchemaRunner, checkServing, findDrift, lint } from '../../src/schema/index.ts';
import type {
  Backfill, Contract, Expand, Goldens, RowUpgrades, SchemaShard,
} from '../../src/schema/index.ts';
import { mariadbGolden } from '../../src/schema/stores/mariadb/mariadb-golden.ts';
import {
  MariadbSchemaTarget, OUR_COLLATION,
} from '../../src/schema/stores/mariadb/mariadb-schema-target.ts';
import { MemorySchemaBook } from '../../src/schema/stores/memory/memory-schema-book.ts';
import { sqliteGolden } from '../../src/schema/stores/sqlite/sqlite-catalogue.ts';
import { SqliteSchemaTarget } from '../../src/schema/stores/sqlite/sqlite-schema-target.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';
import { RuleLoad, StoreProgram } from '../support/versions/store-versions.ts';
import type { ShardPlace } from '../support/versions/store-program.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const SETTLED = 12;
const TURNS = 5;
const WAIT_MS = 60_000;

const ROWS: RowUpgrades = {
  table: 'retention', key: ['scope', 'id'], versionColumn: 'form',
  columns: ['trash_keep_days', 'trash_keep_hours'],
  upgrades: [(row) => ({
    ...row,
    trash_keep_hours: row['trash_keep_days'] === null ? null : Number(row['trash_keep_days']) * 24,
  })],
};
const added = (column: string, type: string) => {
  const text = `ALTER TABLE retention ADD COLUMN ${column} ${type}`;
  return { effect: { table: 'retention', column }, sqlite: text, mariadb: text };
};
const EXPAND: Expand = {
  id: 'trash-hours', kind: 'expand', family: 'metadata', minCode: '1.0.0', isNeeded: true,
  title: 'The trash keeps hours', algorithm: 'instant',
  steps: [added('trash_keep_hours', 'BIGINT NULL'), added('form', 'SMALLINT NOT NULL DEFAULT 0')],
};
const BACKFILL: Backfill = {
  id: 'trash-hours-rows', kind: 'backfill', family: 'metadata', minCode: '2.0.0',
  title: 'Rules from before', after: EXPAND.id, rows: ROWS,
};
const GONE = 'ALTER TABLE retention DROP COLUMN trash_keep_days';
const CONTRACT: Contract = {
  id: 'trash-days-gone', kind: 'contract', family: 'metadata', minCode: '2.1.0', rows: ROWS,
  title: 'The trash kept days', after: BACKFILL.id, algorithm: 'instant',
  steps: [{
    effect: { table: 'retention', column: 'trash_keep_days', isGone: true },
    sqlite: GONE, mariadb: GONE,
  }],
};
const CHANGES = [EXPAND, BACKFILL, CONTRACT];

/** As the tables are made anew by version 2.1.0. */
const GOLDENS: Goldens = {
  metadata: {
    sqlite: sqliteGolden(`${SCHEMA};${EXPAND.steps.map(({ sqlite }) => sqlite).join(';')};${GONE}`),
    mariadb: mariadbGolden({
      ...TABLES, retention: TABLES['retention']?.replace('trash_keep_days BIGINT NULL',
        'trash_keep_hours BIGINT NULL, form SMALLINT NOT NULL DEFAULT 0') ?? '',
    }, OUR_COLLATION),
  },
  identity: { sqlite: [], mariadb: [] },
};

describe('Two versions of the program on the same shards', { timeout: 300_000 }, () => {
  let server: ScratchServer;
  let shards: SchemaShard[];
  const places: ShardPlace[] = [];
  const running: StoreProgram[] = [];
  /** What the settled tenants of each shard were last given, by tenant. */
  const wanted = new Map<string, RetentionRule>();
  let aheadMs = 0;
  const clock: Clock = {
    now: () => systemClock.now() + aheadMs, monotonic: () => systemClock.monotonic(),
    after: (delayMs, act) => systemClock.after(delayMs, act),
  };

  before(async () => {
    server = await ScratchServer.start();
    const file = join(scratchFolder('versions'), 'shard.db');
    await (await SqliteMetadataStore.open({ file, create: true })).close();
    const [one, two] = [await server.makeDatabase(), await server.makeDatabase()];
    const addresses = [await letLeastUsersIn(server, one.database),
      await letLeastUsersIn(server, two.database)];
    places.push({ file });
    for (const [at, address] of addresses.entries()) {
      await openDatabase(address, { create: true, shard: at + 1 });
      places.push({ address });
    }
    shards = [
      { name: 'file', family: 'metadata', engine: 'sqlite',
        open: () => SqliteSchemaTarget.open(file) },
      ...addresses.map((address): SchemaShard => ({
        name: address.database, family: 'metadata', engine: 'mariadb',
        open: () => MariadbSchemaTarget.open(address),
      })),
    ];
  });
  after(async () => {
    for (const program of running) await program.stop();
    await server.stop();
  });

  const start = async (version: Parameters<typeof StoreProgram.start>[0]) => {
    const program = await StoreProgram.start(version, places);
    running.push(program);
    return program;
  };

  const settle = async (program: StoreProgram, at: number, rule: RetentionRule) => {
    await Promise.all([...places.keys()].map(async (shard) => {
      const tenant = `settled-${shard}-${at}`;
      await program.tell({ shard, tenant, rule });
      wanted.set(tenant, rule);
    }));
  };

  const agree = async (stage: string, programs: readonly StoreProgram[]) => {
    await Promise.all([...wanted].flatMap(([tenant, rule]) => programs.map(async (program, at) => {
      const shard = Number(tenant.split('-')[1]);
      assert.deepEqual(await program.tell({ shard, tenant }), rule, `${stage} ${at} ${tenant}`);
    })));
  };

  const oldRows = (): Promise<number[]> => Promise.all(shards.map(async (shard) => {
    const target = await shard.open();
    return target.countOld(ROWS).finally(() => target.close());
  }));

  function installation() {
    const nodes = new MemoryNodeRegistry(clock);
    const book = new MemorySchemaBook();
    const policy = { stepAfterMs: 0, contractAfterMs: 14 * DAY_MS, rowsPerSecond: 10_000 };
    const parts = { shards, book, clock, nodes, policy };
    const runner = (...changes: (typeof CHANGES)[number][]) => new SchemaRunner({
      ...parts, changes: changes.length > 0 ? changes : CHANGES,
    });
    const alive = new Set<string>();
    const beatAll = async (): Promise<void> => {
      for (const name of alive) await nodes.beat({ name, incarnation: name }, 0);
    };
    const enter = async (version: string, changes: readonly (typeof CHANGES)[number][]) => {
      await beatAll(); // On a busy machine more time has passed than a program may be silent.
      await nodes.enter({ name: version, incarnation: version, version, place: version }, 0);
      try {
        await checkServing({ ...parts, changes, version });
        alive.add(version);
      } catch (error) {
        await leave(version);
        throw error;
      }
    };
    const leave = (version: string) => {
      alive.delete(version);
      return nodes.leave({ name: version, incarnation: version });
    };
    return { runner, enter, leave, beatAll };
  }

  it('serve the same at every stage of the replacement of a column, under load', async () => {
    const { runner, enter, leave, beatAll } = installation();
    const isBehind = (error: unknown) => isKind(error, 'precondition');
    assert.deepEqual(lint(CHANGES, GOLDENS).map(({ problem }) => problem), []);

    await enter('1.0.0', []);
    const first = await start('before');
    for (let at = 0; at < SETTLED; at += 1) await settle(first, at, { trashKeepDays: at });
    const load = new RuleLoad([first], places.length);
    const goOn = async (what: string): Promise<void> => {
      const from = load.turns;
      await eventually(WAIT_MS, what, () => load.hasGoneOn(from, TURNS));
    };
    const serving = async (what: string, ...programs: StoreProgram[]): Promise<void> => {
      load.programs = programs;
      await goOn(what);
      await agree(what, programs);
    };
    await goOn('the version before serves');
    await assert.rejects(enter('2.0.0', CHANGES), isBehind);
    assert.equal((await runner(EXPAND).apply()).state, 'done');
    await serving('expanded', first);

    await enter('2.0.0', CHANGES);
    const second = await start('after');
    await serving('both serve', first, second);
    const before = await oldRows();
    // Whoever writes a row says in which form: 2.0.0 upgrades it, 1.0.0 takes it back.
    await settle(second, 0, { trashKeepDays: 7 });
    await settle(second, 1, { keepAllDays: 3 });
    await settle(first, 1, { keepAllDays: 3, trashKeepDays: 9 });
    assert.ok(before.every((count) => count >= SETTLED));
    await agree('both have written', [first, second]);
    await assert.rejects(enter('2.1.0', CHANGES), isBehind); // It reads no old rows.

    assert.equal((await runner().apply()).state, 'done');
    await serving('swept', first, second);
    await settle(first, 2, { trashKeepDays: 0 });
    assert.ok((await oldRows()).every((count) => count >= 1 && count <= 2), 'swept, and one anew');
    aheadMs = 15 * DAY_MS;
    await beatAll();
    const refused = await runner().contract(CONTRACT.id);
    assert.deepEqual(refused.objections.map(({ reason }) => reason), ['programs', 'rows']);

    await leave('1.0.0');
    await serving('the version before has left', second);
    await first.stop();
    assert.equal((await runner().apply()).state, 'done');
    assert.deepEqual(await oldRows(), [0, 0, 0]);
    await enter('2.1.0', CHANGES);
    const third = await start('later');
    await serving('both write the new form', second, third);
    await serving('the last one alone', third);
    await second.stop();
    await leave('2.0.0');
    const done = await runner().contract(CONTRACT.id);
    assert.deepEqual([done.state, done.objections], ['done', []]);
    await serving('contracted', third);
    await load.end();
    const drifts = await findDrift(shards, { changes: CHANGES, goldens: GOLDENS });
    assert.deepEqual(drifts.flatMap((one) => [...one.drifts, one.problem ?? []].flat()), []);
    await assert.rejects(enter('2.0.0', CHANGES), (error) => isKind(error, 'invalid'));
  });
});
