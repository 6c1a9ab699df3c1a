import assert from 'node:assert/strict';
import { it } from 'node:test';
import { JournalReplay } from './journal-replay.ts';
import type { JournalEvent } from './journal-source.ts';
import { SqliteJournalScratch } from './stores/sqlite/sqlite-journal-scratch.ts';

const SPACE = { id: 1, rootId: 1, rev: 9, casePolicy: 'sensitive' as const };

function event(
  rev: number, nodeId: number, parentAfter: number | undefined, more: Partial<JournalEvent> = {},
): JournalEvent {
  const base = { isFolder: false, isMount: false, contentRev: rev };
  const place = { nameAfter: `n${nodeId}`, copiedFrom: undefined };
  return { rev, nodeId, parentAfter, ...base, ...place, ...more };
}

function membersOf(replay: JournalReplay, folderId: number) {
  return replay.membersAt(folderId, { rev: replay.rev, afterCanon: '', limit: 100 });
}

const folder = { isFolder: true, contentRev: 0 };

it('JournalReplay copies a tree as it was, not as it is', async () => {
  const scratch = SqliteJournalScratch.open();
  const replay = new JournalReplay(SPACE, scratch);
  await replay.apply(event(1, 10, 1, folder));
  await replay.apply(event(2, 11, 10, { nameAfter: 'old' }));
  // Between the moment that is copied and the event of the copy: one goes, one comes, one changes.
  await replay.apply(event(3, 12, 10, { nameAfter: 'b' }));
  await replay.apply(event(4, 12, undefined));
  await replay.apply(event(5, 13, 10, { nameAfter: 'late' }));
  await replay.apply(event(6, 11, 10, { nameAfter: 'new' }));
  const copiedFrom = { nodeId: 10, rev: 3, count: 3, across: undefined };
  await replay.apply(event(7, 20, 1, { ...folder, copiedFrom }));
  const copies = membersOf(replay, 20).map(({ id, name, contentRev }) => (
    [id, name, contentRev]));
  assert.deepEqual(copies, [[21, 'b', 3], [22, 'old', 2]]);
  assert.deepEqual(membersOf(replay, 10).map(({ id }) => id).sort(), [11, 13]);
  assert.deepEqual(replay.broken, []);
});

it('JournalReplay notices a revision that is missing, and too big a copy', async () => {
  const scratch = SqliteJournalScratch.open();
  const replay = new JournalReplay(SPACE, scratch);
  await replay.apply(event(1, 10, 1, folder));
  const copiedFrom = { nodeId: 10, rev: 1, count: 2, across: undefined };
  await replay.apply(event(3, 20, 1, { ...folder, copiedFrom }));
  assert.deepEqual(replay.broken, [2, 3]);
});

it('JournalReplay copies from another space: no mounts, revisions of this one', async () => {
  const scratch = SqliteJournalScratch.open();
  const other = new JournalReplay({ ...SPACE, id: 2 }, scratch);
  await other.apply(event(1, 50, 1, folder));
  await other.apply(event(2, 51, 50, { nameAfter: 'b', contentRev: 700 }));
  await other.apply(event(3, 52, 50, { nameAfter: 'a', isMount: true, contentRev: 0 }));
  const replay = new JournalReplay(SPACE, scratch);
  const across = { spaceId: 2, contentRev: 1 };
  const copiedFrom = { nodeId: 50, rev: 3, count: 2, across };
  await replay.apply(event(1, 60, 1, { ...folder, copiedFrom }), { origin: other });
  const copies = membersOf(replay, 60).map(({ id, name, contentRev }) => (
    [id, name, contentRev]));
  assert.deepEqual(copies, [[61, 'b', 1]]);
  assert.deepEqual(replay.broken, []);
});
