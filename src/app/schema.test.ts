/** Commands about the tables, and the hourly look, on a data directory with files. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { HoldfastError } from '../base/errors.ts';
import { MemoryTerminal, schemaCommands } from '../cli/index.ts';
import { SqliteIdentityStore } from '../identity/stores/sqlite/sqlite-identity-store.ts';
import { openConnection } from '../metadata/stores/sqlite/connection.ts';
import { SqliteMetadataStore } from '../metadata/stores/sqlite/sqlite-metadata-store.ts';
import {
  ManualClock, Metrics, lockData, openDataDirectory, silentLog, systemClock,
} from '../platform/index.ts';
import type { SchemaChange } from '../schema/index.ts';
import { DriftWork } from './drift-work.ts';
import { checkShards, openSchema } from './schema.ts';
import { goldenFiles, schemaShards } from './schema-shards.ts';
import { SLICES } from './settings.ts';

const FILES = { kind: 'files', mayTake: false } as const;
const PARTS = { place: FILES, settings: undefined, clock: systemClock };
const OPTIONS = { clock: systemClock, log: silentLog };
const CHANGE: SchemaChange = {
  id: 'tenant-colour', kind: 'expand', family: 'metadata', minCode: '0.1.0', title: 'A colour',
  algorithm: 'instant', isNeeded: false, steps: [{
    effect: { table: 'tenant', column: 'colour' },
    sqlite: 'ALTER TABLE tenant ADD COLUMN colour TEXT',
    mariadb: 'ALTER TABLE tenant ADD COLUMN colour VARCHAR(255) NULL',
  }],
};

class CountingClock extends ManualClock {
  plannedCount = 0;

  override after(delayMs: number, act: () => void): () => void {
    this.plannedCount += 1;
    return super.after(delayMs, act);
  }
}

describe('The tables of a data directory', () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-schema-'));
    await openDataDirectory(root, systemClock);
    const metadata = await SqliteMetadataStore.open({
      file: join(root, 'metadata.db'), create: true,
    });
    await metadata.close();
    const identity = await SqliteIdentityStore.open({
      file: join(root, 'identity.db'), create: true,
    });
    await identity.close();
    await writeFile(join(root, 'stores-complete'), '');
  });
  after(() => rm(root, { recursive: true }));

  async function run(name: string, { changes, args = [], yes = false }: {
    changes?: readonly SchemaChange[]; args?: string[]; yes?: boolean;
  } = {}) {
    const terminal = new MemoryTerminal();
    const command = schemaCommands({
      slices: SLICES, clock: systemClock,
      open: async (config, options) => ({
        ...await openSchema(config, { ...options, clock: systemClock }),
        ...(changes !== undefined && { changes }),
      }),
    }).find((one) => one.name === `schema ${name}`);
    const flags = { data: root, ...(yes && { yes: true as const }) };
    try {
      const exit = await command?.run(terminal, { args, flags });
      return { exit, printed: terminal.printed, complaints: terminal.complaints };
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return { exit: error.code, printed: terminal.printed, complaints: error.message };
    }
  }

  const byHand = (file: string, statement: string): void => {
    const connection = openConnection(join(root, file), { readonly: false, cacheKib: 100 });
    connection.exec(statement);
    connection.close();
  };

  it('are as this version makes them, and nothing is to be done', async () => {
    assert.deepEqual(await run('drift'),
      { exit: 0, printed: '', complaints: '2 shards, 0 with differences.\n' });
    assert.equal((await run('lint')).exit, 0);
    assert.match((await run('plan')).complaints, /no changes/);
    assert.match((await run('apply')).printed, /Nothing is to be done/);
    assert.match((await run('status')).complaints, /2 shards, 0 changes/);
  });

  it('are altered with --yes alone, and not while a server has the directory', async () => {
    const changes = [CHANGE];
    assert.match((await run('apply', { changes })).printed,
      /^tenant-colour\texpand\t0\/1\tinstant\tA colour\nThis is only the plan;/);
    const lock = lockData(root);
    assert.equal((await run('apply', { changes, yes: true })).exit, 'data-locked');
    assert.equal((await run('status', { changes })).exit, 0);
    lock.release();
    assert.equal((await run('pause', { changes })).exit, 0);
    assert.match((await run('apply', { changes, yes: true })).complaints, /^Paused: no reason/);
    await run('resume', { changes });
    const done = await run('apply', { changes, yes: true });
    assert.deepEqual([done.exit, done.printed],
      [0, 'tenant-colour main made, 1 of 1\nDone: tenant-colour.\n']);
    assert.match((await run('status', { changes })).printed, /^tenant-colour\texpand\t1\/1\t0\t-/);
    // Golden is what the program makes anew: this one does not know the column.
    assert.equal((await run('drift', { changes })).printed,
      'main: tenant.colour is not known to this program\n');
    byHand('metadata.db', 'ALTER TABLE tenant DROP COLUMN colour');
  });

  it('are not altered by a list that lint complains of, nor by a contract that is too early',
    async () => {
      const bad = { ...CHANGE, id: 'Bad' };
      const refused = await run('apply', { changes: [bad], yes: true });
      assert.deepEqual([refused.exit, refused.complaints],
        [3, 'Bad: an id is of small letters, digits and hyphens\n']);
      const contract: SchemaChange = {
        ...CHANGE, id: 'colour-gone', kind: 'contract', after: 'tenant-colour',
      };
      const early = await run('contract', { changes: [CHANGE, contract], args: ['colour-gone'] });
      assert.equal(early.exit, 3);
      assert.match(early.complaints, /cannot be made yet:\n {2}tenant-colour was done everywhere/);
    });

  it('are looked at every hour: figures and log name what differs', async () => {
    const clock = new CountingClock(0);
    const metrics = new Metrics();
    const told: string[] = [];
    const log = {
      ...silentLog, error: (facts: object) => told.push(String((facts as { drift: string }).drift)),
    };
    const find = async () => ({
      shards: await schemaShards(root, { ...PARTS, readonly: true }), goldens: goldenFiles(),
    });
    const work = DriftWork.start({ clock, log, metrics, find });
    /** A round has ended when the next one is planned. */
    const round = async (ms: number): Promise<string> => {
      const { plannedCount } = clock;
      clock.advance(ms);
      while (clock.plannedCount === plannedCount) await turn();
      return metrics.text();
    };
    assert.match(await round(5 * 60 * 1000), /^holdfast_schema_drift_shards 0$/m);
    byHand('metadata.db', 'DROP INDEX node_by_id');
    byHand('identity.db', 'ALTER TABLE users ADD COLUMN by_hand TEXT');
    const wanted = [
      'main: node index node_by_id is missing',
      'identity: users.by_hand is not known to this program',
    ];
    assert.match(await round(60 * 60 * 1000), /^holdfast_schema_drift_shards 2$/m);
    assert.deepEqual(told, wanted);
    await work.stop();
    byHand('metadata.db', 'CREATE UNIQUE INDEX node_by_id ON node (space_id, id)');
    byHand('identity.db', 'ALTER TABLE users DROP COLUMN by_hand');
    assert.equal((await run('drift')).exit, 0);
  });

  it('are not served when a newer version has taken away what this one reads', async () => {
    await checkShards(root, FILES, OPTIONS);
    assert.ok(existsSync(join(root, 'schema.db')));
    byHand('metadata.db', 'UPDATE schema_run SET min_code = \'99.0.0\'');
    await assert.rejects(checkShards(root, FILES, OPTIONS), (error) => (
      error instanceof HoldfastError && error.code === 'schema-ahead'
        && error.message.includes('99.0.0 and newer')));
    await checkShards(root, FILES, { ...OPTIONS, version: '99.0.1' });
  });
});
