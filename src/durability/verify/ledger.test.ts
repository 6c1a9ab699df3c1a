import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { VolumeLedger } from '../gc/ledger/volume-ledger.ts';
import { isUnlinkJustified, ledgerFile, parseLedger } from './ledger.ts';
import type { LedgerEntry } from './ledger.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

function entry(
  seq: number, act: string, atMs: number, more: Partial<LedgerEntry> = {},
): LedgerEntry {
  return { seq, act, atMs, volumeId: 1, rescued: 0, inspections: [], hash: '', ...more };
}

describe('ledgerFile', () => {
  it('reads what the collector writes', async () => {
    const root = await mkdtemp(join(tmpdir(), 'holdfast-ledger-'));
    try {
      const path = join(root, 'ledger');
      assert.deepEqual(await ledgerFile(path).read(), { entries: [], isWhole: true });
      const notes = { findLedgerHead: () => undefined, putLedgerHead: () => undefined };
      const { ledger } = await VolumeLedger.open(path, notes);
      await ledger.append({ act: 'found', at: 5, volume: 7, sizeBytes: 9 });
      await ledger.append({ act: 'restore', at: 6, volume: 7 });
      const { hash } = ledger.head;
      await ledger.close();
      const { entries, isWhole } = await ledgerFile(path).read();
      assert.equal(isWhole, true);
      assert.deepEqual(entries.map(({ seq, act, atMs, volumeId }) => [seq, act, atMs, volumeId]), [
        [1, 'found', 5, 7], [2, 'restore', 6, 7],
      ]);
      assert.equal(entries.at(-1)?.hash, hash);
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('stops at the first line that does not go on from the one before', () => {
    assert.deepEqual(parseLedger(`${'0'.repeat(64)} {"seq":1}\n`), { entries: [], isWhole: false });
    assert.deepEqual(parseLedger('an entry that was never ackn'), { entries: [], isWhole: true });
  });
});

describe('isUnlinkJustified', () => {
  const trash = entry(1, 'trash', 0);
  const first = entry(2, 'inspect', 14 * DAY_MS);
  const second = entry(3, 'inspect', 15 * DAY_MS);
  const unlink = entry(4, 'unlink', 15 * DAY_MS, { inspections: [2, 3] });

  it('asks for two weeks in the trash and two inspections a day apart', () => {
    assert.equal(isUnlinkJustified(unlink, [trash, first, second, unlink]), true);
    const early = { ...first, atMs: 14 * DAY_MS - 1 };
    assert.equal(isUnlinkJustified(unlink, [trash, early, second, unlink]), false);
    const soon = { ...second, atMs: 15 * DAY_MS - 1 };
    assert.equal(isUnlinkJustified(unlink, [trash, first, soon, unlink]), false);
    assert.equal(isUnlinkJustified({ ...unlink, inspections: [2] }, [trash, first]), false);
  });

  it('begins anew when an inspection found something that was needed', () => {
    const needed = { ...first, rescued: 1 };
    assert.equal(isUnlinkJustified(unlink, [trash, needed, second, unlink]), false);
  });

  it('counts only inspections of that volume', () => {
    const other = { ...second, volumeId: 2 };
    assert.equal(isUnlinkJustified(unlink, [trash, first, other, unlink]), false);
  });
});
