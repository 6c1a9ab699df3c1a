import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../../base/errors.ts';
import { OPEN_PER_KIND_MAX } from '../../finding.ts';
import type { Report } from '../../finding.ts';
import { SqliteVerifyStore } from './sqlite-verify-store.ts';

let root = '';
let file = '';
let store: SqliteVerifyStore;

const report = (where: string, scope = 'all'): Report => ({
  verifier: 'disk-scrubber', kind: 'payload-damaged', scope, where, facts: { offset: 3 },
});

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-verify-'));
  file = join(root, 'verify.db');
  store = SqliteVerifyStore.open(file);
});
afterEach(async () => {
  store.close();
  await rm(root, { recursive: true });
});

describe('SqliteVerifyStore', () => {
  it('keeps one finding for what is seen again and again', () => {
    assert.equal(store.report(report('here'), 100), 'new');
    assert.equal(store.report(report('here'), 200), 'again');
    const [finding, ...more] = store.listFindings({ limit: 10 });
    assert.deepEqual(more, []);
    assert.equal(finding?.firstSeenMs, 100);
    assert.equal(finding?.lastSeenMs, 200);
    assert.equal(finding?.times, 2);
    assert.deepEqual(finding?.facts, { offset: 3 });
    assert.equal(finding?.severity, 'damage');
  });

  it('counts as fixed what was not seen again, and opens it when it is', () => {
    store.report(report('here', 'one'), 100);
    store.report(report('there', 'two'), 100);
    const settled = { sinceMs: 150, atMs: 200 };
    assert.equal(store.settle('disk-scrubber', { scope: 'one', ...settled }), 1);
    assert.equal(store.settle('reconciler', settled), 0);
    const states = store.listFindings({ limit: 10 }).map(({ where, state }) => [where, state]);
    assert.deepEqual(states, [['there', 'open'], ['here', 'fixed']]);
    store.report(report('here', 'one'), 300);
    assert.equal(store.listFindings({ state: 'open', limit: 10 }).length, 2);
  });

  it('leaves a finding explained once somebody has said so', () => {
    store.report(report('here'), 100);
    const [finding] = store.listFindings({ limit: 1 });
    store.setState(finding?.id ?? 0, 'explained', 150);
    store.report(report('here'), 200);
    assert.equal(store.settle('disk-scrubber', { sinceMs: 300, atMs: 300 }), 0);
    assert.equal(store.listFindings({ limit: 1 })[0]?.state, 'explained');
    assert.throws(() => store.setState(99, 'fixed', 1), (error) => isKind(error, 'not-found'));
  });

  it('lists a bounded number of findings of a kind', () => {
    store.together(() => {
      for (let n = 0; n < OPEN_PER_KIND_MAX; n++) store.report(report(`place ${n}`), n);
    });
    assert.equal(store.report(report('one more'), 1), 'unlisted');
    assert.equal(store.report(report('place 5'), 1), 'again');
  });

  it('remembers after it was closed, and can be read while it is open', () => {
    store.putUnit('disk-scrubber', {
      name: 'u', size: 10, checked: 5, checkedMs: undefined, waitingSinceMs: 7,
      resume: { at: [1, 2] },
    });
    store.putNote('reconciler', 'a/1', { x: 1 });
    store.putNote('reconciler', 'a/2', 2);
    store.putNote('reconciler', 'b', 3);
    const other = SqliteVerifyStore.openReadonly(file);
    assert.equal(other?.findUnit('disk-scrubber', 'u')?.waitingSinceMs, 7);
    other?.close();
    store.close();
    store = SqliteVerifyStore.open(file);
    assert.deepEqual(store.findUnit('disk-scrubber', 'u')?.resume, { at: [1, 2] });
    assert.deepEqual(store.listNotes('reconciler', { prefix: 'a/', limit: 10 }), [
      { key: 'a/1', value: { x: 1 } }, { key: 'a/2', value: 2 },
    ]);
    store.dropNotes('reconciler', 'a/');
    assert.equal(store.findNote('reconciler', 'a/2'), undefined);
    assert.equal(store.findNote('reconciler', 'b'), 3);
  });

  it('puts a damaged file aside and begins anew', async () => {
    store.close();
    await rm(`${file}-wal`, { force: true });
    await writeFile(file, Buffer.alloc(5_000, 'not a database'));
    store = SqliteVerifyStore.open(file);
    assert.equal(store.wasDamaged, true);
    assert.deepEqual(store.listFindings({ limit: 1 }), []);
    assert.ok((await readdir(root)).includes('verify.db.damaged'));
  });

  it('is not there to be read before a verifier has run', () => {
    assert.equal(SqliteVerifyStore.openReadonly(join(root, 'none.db')), undefined);
  });

  it('hands out samples when they are due, and forgets them after the last reading', () => {
    const base = { address: '1/2/3', sha256: 'ab', sizeBytes: 3, writtenMs: 0, step: 0 };
    store.addSamples([{ id: 'b', ...base, dueMs: 20 }, { id: 'a', ...base, dueMs: 10 }]);
    assert.deepEqual(store.dueSamples(9, 10), []);
    assert.deepEqual(store.dueSamples(20, 10).map(({ id }) => id), ['a', 'b']);
    store.rescheduleSample('a', { step: 1, dueMs: 99 });
    assert.deepEqual(store.countSamples(), { count: 2, oldestDueMs: 20 });
    store.rescheduleSample('b', undefined);
    assert.deepEqual(store.countSamples(), { count: 1, oldestDueMs: 99 });
  });
});
