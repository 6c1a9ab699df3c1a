/** Two versions of a program on the same rows, at every stage of a change. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../base/errors.ts';
import { ManualClock } from '../platform/index.ts';
import {
  MemoryNodeRegistry,
} from '../platform/cluster/stores/memory/memory-node-registry.ts';
import { SchemaRunner } from './schema-runner.ts';
import type { SchemaShard } from './schema-target.ts';
import { checkServing } from './serving.ts';
import { MemorySchemaBook } from './stores/memory/memory-schema-book.ts';
import { SqliteSession } from './stores/sqlite/sqlite-session.ts';
import { PERSON_CHANGES, PERSON_EXPAND } from './testing/fixture-changes.ts';
import { programAfter, programBefore } from './testing/fixture-program.ts';
import { sqliteFixture } from './testing/sqlite-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-versions-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const NOON = Date.UTC(2026, 4, 1, 12);
const DAY_MS = 24 * 60 * 60 * 1000;
let fileCount = 0;

async function installation() {
  fileCount += 1;
  const file = join(folder, `shard-${fileCount}.db`);
  const fixture = await sqliteFixture(file);
  const clock = new ManualClock(NOON);
  const book = new MemorySchemaBook();
  const nodes = new MemoryNodeRegistry(clock);
  const parts = {
    changes: PERSON_CHANGES, shards: [fixture.shard], book, clock, nodes,
    policy: { stepAfterMs: 0, contractAfterMs: 14 * DAY_MS, rowsPerSecond: 1_000 },
  };
  const session = await SqliteSession.open(file, { create: false });
  const leave = (version: string) => nodes.leave({ name: version, incarnation: version });
  const serve = async (version: string, changes = PERSON_CHANGES) => {
    await nodes.enter({ name: version, incarnation: version, version, place: version }, 0);
    try {
      return await checkServing({ ...parts, changes, version });
    } catch (error) {
      await leave(version);
      throw error;
    }
  };
  return { parts, clock, book, nodes, leave, session, fixture, serve };
}

describe('The version before and this one', () => {
  it('serve the same rows before, between and after expand and backfill', async () => {
    const { parts, clock, nodes, leave, session, fixture, serve } = await installation();
    const before = programBefore(session);
    let writesOld = true;
    const now = programAfter(session, () => writesOld);
    const names = new Map<number, string>();
    const put = async (program: typeof now, id: number, name: string): Promise<void> => {
      await program.put(id, name);
      names.set(id, name);
    };
    const agree = async (stage: string, programs: readonly (typeof now)[]): Promise<void> => {
      for (const [id, name] of names) {
        for (const program of programs) {
          assert.equal(await program.find(id), name, `${stage}: ${program.version}, ${id}`);
        }
      }
    };
    // The version before knows nothing of the change.
    await serve('1.0.0', []);
    for (let id = 1; id <= 5; id += 1) await put(before, id, `Ada Love${id}`);
    await assert.rejects(serve('2.0.0'), (error) => isKind(error, 'precondition')
     
      && error.message.includes('holdfast schema apply'));
    assert.deepEqual((await nodes.list()).map(({ version }) => version), ['1.0.0']);

    await new SchemaRunner({ ...parts, changes: [PERSON_EXPAND] }).apply();
    await serve('2.0.0');
    await agree('expanded', [before, now]);
    await put(now, 2, 'Grace Hop2');
    await put(before, 3, 'Old Hand3');
    await put(now, 6, 'New Row6');
    await put(before, 2, 'Back Again2');
    await agree('both write', [before, now]);

    await new SchemaRunner(parts).apply();
    assert.deepEqual([...new Set((await fixture.readRows()).map((row) => row['form']))], [1]);
    await agree('swept', [before, now]);
    await put(before, 4, 'Late Writer4');
    await put(now, 5, 'Grace Hop5');
    await agree('both write after the sweep', [before, now]);

    clock.advance(15 * DAY_MS);
    await serve('1.0.0', []);
    await leave('2.0.0');
    await assert.rejects(serve('2.1.0'), (error) => isKind(error, 'precondition')
      && error.message.includes('1 rows of person'));
    const refused = await new SchemaRunner(parts).contract('person-full-name-gone');
    assert.deepEqual(refused.objections.map(({ reason, count }) => [reason, count]),
      [['programs', 1], ['rows', 1]]);
    await agree('a contract was refused', [before, now]);
    await leave('1.0.0');
    await new SchemaRunner(parts).apply();
    writesOld = false; // As the release that has the contract does.
    await serve('2.1.0');
    assert.equal((await new SchemaRunner(parts).contract('person-full-name-gone')).state, 'done');
    await put(now, 1, 'After All1');
    await agree('contracted', [now]);
    await assert.rejects(serve('1.0.0', []), (error) => isKind(error, 'invalid')
     
      && error.message.includes('2.1.0 and newer'));
    await serve('2.1.0');
    await session.close();
  });

  it('an old program that starts while a contract begins is kept out by it', async () => {
    const { parts, clock, book, session, serve } = await installation();
    await new SchemaRunner(parts).apply();
    clock.advance(15 * DAY_MS);
    await book.putChange({
      changeId: 'person-full-name-gone', doneAtMs: undefined, minCode: '2.1.0',
    });
    await assert.rejects(serve('1.0.0', []), (error) => isKind(error, 'invalid'));
    await session.close();
  });

  it('a program that is alone makes by itself what is instant, and nothing dearer', async () => {
    const { session, leave, serve } = await installation();
    assert.deepEqual(await serve('2.0.0'), { madeCount: 2, unreached: [] });
    assert.deepEqual(await serve('2.0.0'), { madeCount: 0, unreached: [] });
    await leave('2.0.0');
    await session.close();
    const other = await installation();
    const dear = PERSON_CHANGES.map((change) => (
      change.kind === 'expand' ? { ...change, algorithm: 'copy' as const } : change));
    await assert.rejects(other.serve('2.0.0', dear), (error) => isKind(error, 'precondition'));
    // A shard that does not answer is passed over; one where a step cannot be made is not.
    const failing = (op: 'open' | 'step'): SchemaShard => {
      const { shard } = other.fixture;
      const fail = () => Promise.reject(new HoldfastError('unavailable', 'test', 'It is away.'));
      const open = async () => {
        const target = await shard.open();
        target.runStep = fail;
        return target;
      };
      return { ...shard, open: op === 'open' ? fail : open };
    };
    const serving = { ...other.parts, version: '2.0.0' };
    assert.deepEqual(await checkServing({ ...serving, shards: [failing('open')] }),
      { madeCount: 0, unreached: [{ shard: failing('open').name, problem: 'It is away.' }] });
    await assert.rejects(checkServing({ ...serving, shards: [failing('step')] }),
      (error) => isKind(error, 'precondition'));
    await other.session.close();
  });
});
