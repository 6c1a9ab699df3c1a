import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../../base/errors.ts';
import type { BlockId } from '../../../../base/ids.ts';
import { AGREEMENT_MS, type CensusFigures } from '../../gc-store.ts';
import { SqliteGcStore } from './sqlite-gc-store.ts';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-gc-store-'));
after(() => rm(folder, { recursive: true }));
const NOON = 1_700_000_000_000;
const FIGURES: CensusFigures = {
  manifestCount: 1, referenceCount: 2, pendingBytes: 3, absentCount: 4, unmetCount: 5,
  unmetBytes: 6, condemnedCount: 7, condemnedBytes: 8,
};

function suspect(digit: string): { id: BlockId; sizeBytes: number } {
  return { id: digit.repeat(64) as BlockId, sizeBytes: 100 };
}

describe('SqliteGcStore', () => {
  let file: string;
  let store: SqliteGcStore;
  let count = 0;
  beforeEach((context) => {
    file = join(folder, `${count++}.db`);
    store = SqliteGcStore.open(file);
    if ('after' in context) context.after(() => store.close());
  });

  /** A whole census; answers whom it would condemn. */
  function census(at: number, ...digits: string[]): BlockId[] {
    const number = store.beginCensus(at);
    const agreed = store.noteUnmet(number, at, digits.map(suspect));
    store.endCensus(number, at, FIGURES);
    return agreed;
  }

  it('lets two censuses agree only when they are a day apart', () => {
    assert.deepEqual(census(NOON, 'a', 'b'), []);
    assert.deepEqual(census(NOON + AGREEMENT_MS - 1, 'a', 'b', 'c'), []);
    assert.deepEqual(census(NOON + AGREEMENT_MS, 'b', 'c'), [suspect('b').id]);
  });

  it('begins anew with a block that a census has met in between', () => {
    census(NOON, 'a');
    census(NOON + 1_000);
    assert.deepEqual(store.countSuspects(NOON).count, 0);
    assert.deepEqual(census(NOON + AGREEMENT_MS + 1_000, 'a'), []);
    assert.deepEqual(census(NOON + 2 * AGREEMENT_MS + 1_000, 'a'), [suspect('a').id]);
  });

  it('does not let one census agree with itself, however the clock runs', () => {
    const number = store.beginCensus(NOON);
    store.noteUnmet(number, NOON, [suspect('a')]);
    assert.deepEqual(store.noteUnmet(number, NOON + 9 * AGREEMENT_MS, [suspect('a')]), []);
  });

  it('does not believe in a first sight that lies in the future', () => {
    census(NOON + 9 * AGREEMENT_MS, 'a');
    assert.deepEqual(census(NOON, 'a'), []);
    assert.deepEqual(census(NOON + AGREEMENT_MS, 'a'), [suspect('a').id]);
  });

  it('forgets nobody when a census is cut short', () => {
    census(NOON, 'a', 'b');
    const cut = store.beginCensus(NOON + AGREEMENT_MS);
    store.noteUnmet(cut, NOON + AGREEMENT_MS, [suspect('a')]);
    assert.equal(store.countSuspects(NOON).count, 2);
    assert.equal(store.listCensuses(1)[0]?.endedAt, undefined);
    assert.deepEqual(census(NOON + AGREEMENT_MS, 'b'), [suspect('b').id]);
  });

  it('finds everything again after a restart', () => {
    census(NOON, 'a');
    store.noteCondemned(1, [suspect('a').id]);
    store.putLedgerHead({ seq: 4, hash: 'ff' });
    store.close();
    store = SqliteGcStore.open(file);
    assert.deepEqual(store.listCensuses(5), [
      { census: 1, begunAt: NOON, endedAt: NOON, ...FIGURES },
    ]);
    assert.deepEqual(store.countSuspects(NOON + AGREEMENT_MS), {
      count: 1, bytes: 100, agedCount: 1, agedBytes: 100, oldestAt: NOON,
    });
    assert.equal(store.oldestAccuser(), 1);
    assert.deepEqual(store.findLedgerHead(), { seq: 4, hash: 'ff' });
    assert.deepEqual(census(NOON + AGREEMENT_MS, 'a'), [suspect('a').id]);
  });

  it('begins anew, and keeps the old file, when its notes are damaged', async () => {
    census(NOON, 'a');
    store.close();
    await writeFile(file, 'no database');
    store = SqliteGcStore.open(file);
    assert.equal(store.countSuspects(NOON).count, 0);
    assert.equal(await readFile(`${file}.damaged`, 'utf8'), 'no database');
  });

  it('refuses notes of a newer version, and leaves them alone', async () => {
    store.close();
    const bytes = await readFile(file);
    bytes.writeUInt32BE(99, 60);
    await writeFile(file, bytes);
    assert.throws(() => SqliteGcStore.open(file), (error) => isKind(error, 'invalid'));
    bytes.writeUInt32BE(1, 60);
    await writeFile(file, bytes);
    store = SqliteGcStore.open(file);
  });

  it('can be read while it is written, and answers undefined where there is none', () => {
    assert.equal(SqliteGcStore.openReadonly(join(folder, 'absent.db')), undefined);
    const reader = SqliteGcStore.openReadonly(file);
    assert.ok(reader);
    census(NOON, 'a');
    assert.equal(reader.countSuspects(NOON).count, 1);
    assert.throws(() => reader.beginCensus(NOON), (error) => isKind(error, 'unavailable'));
    reader.close();
  });
});
