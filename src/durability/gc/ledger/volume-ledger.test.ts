import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { SqliteGcStore } from '../stores/sqlite/sqlite-gc-store.ts';
import type { NewEntry } from './ledger-entry.ts';
import { readLedger } from './read-ledger.ts';
import { VolumeLedger } from './volume-ledger.ts';

const folder = await mkdtemp(join(tmpdir(), 'holdfast-ledger-'));
after(() => rm(folder, { recursive: true }));

const entries: NewEntry[] = [
  {
    act: 'trash', at: 1_000, volume: 3, sizeBytes: 9_000, records: 7, moved: 4, elsewhere: 1,
    dropped: 2, droppedBytes: 2_000, censuses: [1, 2],
  },
  { act: 'inspect', at: 2_000, volume: 3, records: 7, elsewhere: 5, dead: 2, rescued: 0 },
  { act: 'unlink', at: 3_000, volume: 3, sizeBytes: 9_000, inspections: [2, 2] },
];

describe('VolumeLedger', () => {
  let path: string;
  let notes: SqliteGcStore;
  let count = 0;

  beforeEach(async () => {
    path = join(folder, `${count++}.log`);
    notes = SqliteGcStore.open(':memory:');
    const { ledger } = await VolumeLedger.open(path, notes);
    for (const entry of entries) await ledger.append(entry);
    await ledger.close();
  });

  const isCorrupt = (code: string) => (error: unknown): boolean =>
    isKind(error, 'corrupt') && error.code === code;

  it('keeps entries in order, and goes on after a restart', async () => {
    const opened = await VolumeLedger.open(path, notes);
    assert.deepEqual(opened.entries, entries.map((entry, at) => ({ seq: at + 1, ...entry })));
    await opened.ledger.append({ act: 'restore', at: 4_000, volume: 5 });
    await opened.ledger.close();
    const { entries: all, head } = await readLedger(path, notes.findLedgerHead());
    assert.deepEqual(all.at(-1), { seq: 4, act: 'restore', at: 4_000, volume: 5 });
    assert.deepEqual(head, notes.findLedgerHead());
  });

  it('writes what its format says, byte by byte', async () => {
    const [first = '', second = ''] = (await readFile(path, 'utf8')).split('\n');
    assert.equal(first, '6e364bac77ff0ea92bcc28f5727c909d6e2dacf0fbb96dfae234e0687a0393f0 '
      + '{"seq":1,"act":"trash","at":1000,"volume":3,"sizeBytes":9000,"records":7,"moved":4,'
      + '"elsewhere":1,"dropped":2,"droppedBytes":2000,"censuses":[1,2]}');
    assert.equal(second.slice(65), JSON.stringify({ seq: 2, ...entries[1] }));
  });

  it('notices any single changed byte', async () => {
    const bytes = await readFile(path);
    for (let at = 0; at < bytes.length - 1; at++) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] as number) ^ 1;
      await writeFile(path, changed);
      await assert.rejects(readLedger(path, notes.findLedgerHead()), (error) =>
        isKind(error, 'corrupt'), `byte ${at}`);
    }
  });

  it('notices an entry that was taken out, exchanged or added by somebody else', async () => {
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const [a = '', b = '', c = ''] = lines;
    for (const order of [[b, c], [a, c], [a, c, b], [a, b, c, c, c]]) {
      await writeFile(path, order.map((line) => `${line}\n`).join(''));
      const read = readLedger(path, notes.findLedgerHead());
      await assert.rejects(read, isCorrupt('ledger-broken'));
    }
  });

  it('notices that entries are missing at its end', async () => {
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    for (const kept of [0, 1, 2]) {
      await writeFile(path, lines.slice(0, kept).map((line) => `${line}\n`).join(''));
      const read = readLedger(path, notes.findLedgerHead());
      await assert.rejects(read, isCorrupt('ledger-shorter'));
    }
    await rm(path);
    const opened = VolumeLedger.open(path, notes);
    await assert.rejects(opened, isCorrupt('ledger-shorter'));
  });

  it('cuts off what a crash has left of an entry, wherever it was cut', async () => {
    const whole = await readFile(path);
    const torn = Buffer.from('0123456789abcdef {"seq":4');
    for (let length = 1; length <= torn.length; length++) {
      await appendFile(path, torn.subarray(0, length));
      const opened = await VolumeLedger.open(path, notes);
      await opened.ledger.close();
      assert.equal(opened.entries.length, 3);
      assert.ok((await readFile(path)).equals(whole));
    }
    await appendFile(path, Buffer.concat([Buffer.alloc(40), Buffer.from('\n')]));
    const opened = await VolumeLedger.open(path, notes);
    await opened.ledger.close();
    assert.ok((await readFile(path)).equals(whole), 'a line of zeros was never acknowledged');
  });

  it('accepts an entry of which the notes do not know yet', async () => {
    const known = notes.findLedgerHead();
    const opened = await VolumeLedger.open(path, notes);
    await opened.ledger.append({ act: 'restore', at: 4_000, volume: 5 });
    await opened.ledger.close();
    assert.ok(known);
    notes.putLedgerHead(known);
    const again = await VolumeLedger.open(path, notes);
    await again.ledger.close();
    assert.equal(again.entries.length, 4);
    assert.equal(notes.findLedgerHead()?.seq, 4);
  });

  it('refuses to go on over a damaged ledger, and leaves it as it is', async () => {
    await truncate(path, 100);
    await appendFile(path, '\n');
    const before = await readFile(path);
    await assert.rejects(VolumeLedger.open(path, notes), (error) => isKind(error, 'corrupt'));
    assert.ok((await readFile(path)).equals(before));
  });
});
