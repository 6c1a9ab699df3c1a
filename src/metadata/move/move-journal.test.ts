import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { parseTenantId } from '../../base/ids.ts';
import { moveOf, testMoveJournal } from './move-journal.conformance.ts';
import { MemoryMoveJournal } from './move-record.ts';
import { NotedMoveJournal } from './noted-move-journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-moves-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testMoveJournal('MemoryMoveJournal', async () => {
  const journal = new MemoryMoveJournal();
  return { journal, again: async () => journal };
});

testMoveJournal('NotedMoveJournal', async () => {
  const open = () => NotedMoveJournal.open(folder);
  return { journal: await open(), again: open };
});

it('Notes are carried to another journal once, and what is known there stays', async () => {
  const path = join(folder, 'carried');
  const [acme, byte] = ['acme', 'byte'].map((tenant) => moveOf(parseTenantId(tenant)));
  assert.ok(acme !== undefined && byte !== undefined);
  const noted = await NotedMoveJournal.open(path);
  for (const record of [acme, byte]) await noted.put({ ...record, state: 'freeze' });
  const other = new MemoryMoveJournal();
  await other.put({ ...byte, state: 'done' });
  await (await NotedMoveJournal.open(path)).carryTo(other);
  const states = (await other.list()).map(({ tenant, state }) => `${tenant} ${state}`);
  assert.deepEqual(states.toSorted(), ['acme freeze', 'byte done']);
  assert.deepEqual(await (await NotedMoveJournal.open(path)).list(), []);
});
