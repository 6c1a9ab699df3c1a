import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { testMoveJournal } from './move-journal.conformance.ts';
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
