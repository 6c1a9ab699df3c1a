import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError, isKind } from '../base/errors.ts';
import { ManualClock, NODE_AWAITED_MS } from '../platform/index.ts';
import {
  MemoryNodeRegistry,
} from '../platform/cluster/stores/memory/memory-node-registry.ts';
import { SchemaRunner } from './schema-runner.ts';
import type { Progress, SchemaParts } from './schema-runner.ts';
import type { SchemaShard } from './schema-target.ts';
import { MemorySchemaBook } from './stores/memory/memory-schema-book.ts';
import { MemorySchemaTarget } from './stores/memory/memory-schema-target.ts';
import { PERSON_CHANGES } from './testing/fixture-changes.ts';
import { memoryFixture } from './testing/memory-fixture.ts';
import type { MemoryFixture } from './testing/memory-fixture.ts';

const NOON = Date.UTC(2026, 4, 1, 12);
const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;
const CONTRACT = 'person-full-name-gone';

/** Rests end at once, and are counted. */
class QuickClock extends ManualClock {
  restedMs = 0;

  override after(delayMs: number, act: () => void): () => void {
    this.restedMs += delayMs;
    queueMicrotask(act);
    return () => undefined;
  }
}

describe('SchemaRunner', () => {
  let fixtures: MemoryFixture[];
  let clock: QuickClock;
  let book: MemorySchemaBook;
  let nodes: MemoryNodeRegistry;
  let told: Progress[];
  let parts: SchemaParts;

  beforeEach(() => {
    fixtures = Array.from({ length: 40 }, (_, at) => memoryFixture(`shard-${at + 1}`));
    clock = new QuickClock(NOON);
    book = new MemorySchemaBook();
    nodes = new MemoryNodeRegistry(clock);
    told = [];
    parts = {
      changes: PERSON_CHANGES, shards: fixtures.map(({ shard }) => shard), book, clock, nodes,
      policy: { stepAfterMs: 0, contractAfterMs: 14 * DAY_MS, rowsPerSecond: 200 },
    };
  });

  const apply = (more: Partial<SchemaParts> = {}) => (
    new SchemaRunner({ ...parts, ...more }).apply({ onProgress: (news) => told.push(news) }));
  const contract = () => new SchemaRunner(parts).contract(CONTRACT);
  const statements = (): number[] => [...new Set(fixtures.map(({ inside }) => (
    inside.statementCount)))];
  const failing = (shard: SchemaShard): SchemaShard => ({
    ...shard,
    open: async () => {
      throw new HoldfastError('unavailable', 'test', 'The server is away.');
    },
  });

  it('makes expands and backfills on every shard, in waves, and no contract', async () => {
    await fixtures[3]?.insert([{ id: 1, full_name: 'Ada Love', form: 0 }]);
    assert.equal((await apply()).state, 'done');
    assert.deepEqual(statements(), [2]);
    assert.equal((await fixtures[3]?.readRows())?.[0]?.['family_name'], 'Love');
    const first = told.filter(({ changeId }) => changeId === 'person-names');
    assert.deepEqual(first.map(({ shardsDone }) => shardsDone),
      Array.from({ length: 40 }, (_, at) => at + 1));
    assert.equal(first[0]?.shard, 'shard-1');
    const notes = await book.listChanges();
    assert.deepEqual(notes.map(({ changeId, doneAtMs }) => [changeId, doneAtMs]),
      [['person-names', NOON], ['person-names-rows', NOON]]);
  });

  it('passes over what is done, and keeps the day on which it was', async () => {
    await apply();
    clock.advance(DAY_MS);
    told = [];
    await apply();
    assert.deepEqual([...new Set(told.map(({ state }) => state))], ['known']);
    assert.deepEqual(statements(), [2]);
    assert.deepEqual((await book.listChanges()).map(({ doneAtMs }) => doneAtMs), [NOON, NOON]);
  });

  it('leaves a backfill for later that comes too soon after its expand', async () => {
    const policy = { ...parts.policy, stepAfterMs: HOUR_MS };
    await fixtures[3]?.insert([{ id: 1, full_name: 'Ada Love', form: 0 }]);
    const outcome = await apply({ policy });
    assert.deepEqual([outcome.state, outcome.early],
      ['early', [{ changeId: 'person-names-rows', fromMs: NOON + HOUR_MS }]]);
    assert.deepEqual(statements(), [2]);
    assert.equal((await fixtures[3]?.readRows())?.[0]?.['family_name'], null);
    clock.advance(HOUR_MS - 1);
    assert.equal((await apply({ policy })).state, 'early');
    clock.advance(1);
    assert.equal((await apply({ policy })).state, 'done');
    assert.equal((await fixtures[3]?.readRows())?.[0]?.['family_name'], 'Love');
  });

  it('refuses a contract too soon after its backfill', async () => {
    await apply();
    clock.advance(14 * DAY_MS);
    await fixtures[3]?.insert([{ id: 1, full_name: 'Ada Love', form: 0 }]);
    await apply();
    const policy = { ...parts.policy, stepAfterMs: HOUR_MS };
    const early = await new SchemaRunner({ ...parts, policy }).contract(CONTRACT);
    assert.deepEqual(early.objections.map(({ reason }) => reason), ['time']);
    assert.match(early.objections[0]?.message ?? '', /^person-names-rows was done everywhere/);
    clock.advance(HOUR_MS);
    assert.equal((await new SchemaRunner({ ...parts, policy }).contract(CONTRACT)).state, 'done');
  });

  it('stops after a canary that fails, and after two failures elsewhere', async () => {
    const [canary, ...others] = parts.shards;
    assert.ok(canary !== undefined);
    const outcome = await apply({ shards: [failing(canary), ...others] });
    assert.equal(outcome.state, 'halted');
    assert.deepEqual(outcome.failures, [{ shard: 'shard-1', problem: 'The server is away.' }]);
    assert.deepEqual(statements(), [0]);
    const some = parts.shards.map((shard, at) => (at > 10 ? failing(shard) : shard));
    const later = await apply({ shards: some });
    assert.equal(later.failures.length, 2);
    assert.equal(fixtures.filter(({ inside }) => inside.statementCount > 0).length, 11);
    const runs = await book.listRuns('person-names');
    assert.equal(runs.filter(({ state }) => state === 'failed').length, 2);
    assert.equal((await apply()).state, 'done');
    assert.deepEqual(statements(), [2]);
  });

  it('is paused between two shards, and goes on when it is resumed', async () => {
    const pausing = new SchemaRunner(parts).apply({
      onProgress: ({ shardsDone }) => {
        if (shardsDone === 5) void book.pause('lunch', NOON);
      },
    });
    const outcome = await pausing;
    assert.deepEqual([outcome.state, outcome.pause], ['paused', 'lunch']);
    const doneCount = fixtures.filter(({ inside }) => inside.statementCount === 2).length;
    assert.ok(doneCount >= 5 && doneCount < 10, String(doneCount));
    assert.equal((await apply()).state, 'paused');
    await book.resume();
    assert.equal((await apply()).state, 'done');
    assert.deepEqual(statements(), [2]);
  });

  it('waits while a database is busy, and says why', async () => {
    const [fixture] = fixtures;
    assert.ok(fixture !== undefined);
    const target = new MemorySchemaTarget(fixture.inside);
    target.load = '99 statements are running';
    const busy = { ...fixture.shard, open: async () => target };
    const running = new SchemaRunner({ ...parts, shards: [busy] }).apply({
      onProgress: (news) => {
        told.push(news);
        target.load = undefined;
      },
    });
    assert.equal((await running).state, 'done');
    assert.deepEqual(told.slice(0, 2).map(({ state, problem }) => [state, problem]),
      [['waiting', '99 statements are running'], ['made', '']]);
  });

  it('sweeps no more rows in a second than it may', async () => {
    const rows = Array.from({ length: 1_000 }, (_, id) => ({ id, full_name: 'A B', form: 0 }));
    await fixtures[0]?.insert(rows);
    await apply({ policy: { ...parts.policy, rowsPerSecond: 100 } });
    assert.equal((await fixtures[0]?.readRows())?.filter((row) => row['form'] === 1).length, 1_000);
    assert.ok(clock.restedMs >= 9_500, `rested ${clock.restedMs} ms for 1,000 rows`);
  });

  it('refuses a contract with all counts at once, and makes it when nothing speaks against it',
    async () => {
      await apply({ changes: PERSON_CHANGES.slice(0, 1) });
      await fixtures[1]?.insert([1, 2, 3].map((id) => ({ id, full_name: 'A B', form: 0 })));
      const old = { name: 'web-1', incarnation: 'a', version: '1.9.3', place: 'here' };
      await nodes.enter(old, 0);
      await nodes.enter({ ...old, name: 'web-2', version: '2.1.0' }, 0);
      const early = await contract();
      assert.equal(early.state, 'refused');
      assert.deepEqual(early.objections.map(({ reason, count }) => [reason, count]), [
        ['before', 1], ['time', 14], ['programs', 1], ['before', 40],
      ]);
      await apply();
      await fixtures[1]?.insert([{ id: 4, full_name: 'C D', form: 0 }]);
      clock.advance(14 * DAY_MS - 1);
      await nodes.beat(old, 0);
      const again = await contract();
      assert.deepEqual(again.objections.map(({ reason, count }) => [reason, count]),
        [['time', 1], ['programs', 1], ['rows', 1]]);
      assert.match(again.objections.map(({ message }) => message).join('\n'),
        /web-1 \(1\.9\.3\)\n1 old row of person on 1 shard: shard-2 \(1\)/);
      assert.deepEqual((await book.listChanges()).map(({ changeId }) => changeId),
        ['person-names', 'person-names-rows']);
      await apply();
      clock.advance(NODE_AWAITED_MS - 1);
      assert.deepEqual((await contract()).objections.map(({ reason }) => reason), ['programs']);
      clock.advance(1);
      assert.equal((await contract()).state, 'done');
      assert.deepEqual(statements(), [3]);
      assert.equal((await contract()).state, 'done');
      assert.deepEqual(statements(), [3]);
    });

  it('refuses a contract while a shard cannot be asked, and one that is not there', async () => {
    await apply();
    clock.advance(14 * DAY_MS);
    const shards = parts.shards.map((shard, at) => (at === 7 ? failing(shard) : shard));
    const outcome = await new SchemaRunner({ ...parts, shards }).contract(CONTRACT);
    assert.deepEqual(outcome.objections.map(({ reason, count }) => [reason, count]),
      [['unreachable', 1]]);
    await assert.rejects(new SchemaRunner(parts).contract('person-names'),
      (error) => isKind(error, 'not-found'));
  });
});
