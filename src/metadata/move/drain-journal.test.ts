import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { drainOf, seenOf, testDrainJournal } from './drain-journal.conformance.ts';
import { NotedDrainJournal } from './noted-drain-journal.ts';
import { MemoryDrainJournal } from './stores/memory/memory-drain-journal.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-drain-notes-'));
after(() => rmSync(folder, { recursive: true, force: true }));

testDrainJournal('MemoryDrainJournal', async () => {
  const journal = new MemoryDrainJournal();
  return { journal, again: async () => journal };
});

let made = 0;
testDrainJournal('NotedDrainJournal', async () => {
  const path = join(folder, `noted-${made += 1}`);
  return {
    journal: await NotedDrainJournal.open(path), again: () => NotedDrainJournal.open(path),
  };
});

it('Drains are carried to another journal once, and what is known there stays', async () => {
  const path = join(folder, 'carried');
  const noted = await NotedDrainJournal.open(path);
  for (const shard of [1, 2]) await noted.put(drainOf(shard));
  const other = new MemoryDrainJournal();
  await other.put({ ...drainOf(2), state: 'stopped' });
  await (await NotedDrainJournal.open(path)).carryTo(other);
  assert.deepEqual(seenOf(await other.list()),
    seenOf([drainOf(1), { ...drainOf(2), state: 'stopped' }]));
  assert.deepEqual(await (await NotedDrainJournal.open(path)).list(), []);
});
