import assert from 'node:assert/strict';
import { it } from 'node:test';
import { JournalReplay } from './journal-replay.ts';
import type { JournalEvent } from './journal-source.ts';

const SPACE = { id: 1, rootId: 1, rev: 9, casePolicy: 'sensitive' as const };

function event(
  rev: number, nodeId: number, parentAfter: number | undefined, more: Partial<JournalEvent> = {},
): JournalEvent {
  const base = { isFolder: false, isMount: false, contentRev: rev };
  const place = { nameAfter: `n${nodeId}`, copiedFrom: undefined };
  return { rev, nodeId, parentAfter, ...base, ...place, ...more };
}

const folder = { isFolder: true, contentRev: 0 };

it('JournalReplay copies a tree as it was, not as it is', () => {
  const replay = new JournalReplay(SPACE);
  replay.apply(event(1, 10, 1, folder));
  replay.apply(event(2, 11, 10, { nameAfter: 'old' }));
  // Between the moment that is copied and the event of the copy: one goes, one comes, one changes.
  replay.apply(event(3, 12, 10, { nameAfter: 'b' }));
  replay.apply(event(4, 12, undefined));
  replay.apply(event(5, 13, 10, { nameAfter: 'late' }));
  replay.apply(event(6, 11, 10, { nameAfter: 'new' }));
  const copiedFrom = { nodeId: 10, rev: 3, count: 3, across: undefined };
  replay.apply(event(7, 20, 1, { ...folder, copiedFrom }));
  const copies = [...replay.membersOf(20).values()].map(({ id, name, contentRev }) => (
    [id, name, contentRev]));
  assert.deepEqual(copies, [[21, 'b', 3], [22, 'old', 2]]);
  assert.deepEqual([...replay.membersOf(10).keys()], [13, 11]);
  assert.deepEqual(replay.broken, []);
});

it('JournalReplay notices a revision that is missing, and a copy of more than there was', () => {
  const replay = new JournalReplay(SPACE);
  replay.apply(event(1, 10, 1, folder));
  const copiedFrom = { nodeId: 10, rev: 1, count: 2, across: undefined };
  replay.apply(event(3, 20, 1, { ...folder, copiedFrom }));
  assert.deepEqual(replay.broken, [2, 3]);
});

it('JournalReplay copies from another space without its mounts, with revisions of this one', () => {
  const other = new JournalReplay({ ...SPACE, id: 2 });
  other.apply(event(1, 50, 1, folder));
  other.apply(event(2, 51, 50, { nameAfter: 'b', contentRev: 700 }));
  other.apply(event(3, 52, 50, { nameAfter: 'a', isMount: true, contentRev: 0 }));
  const replay = new JournalReplay(SPACE);
  const across = { spaceId: 2, contentRev: 1 };
  const copiedFrom = { nodeId: 50, rev: 3, count: 2, across };
  replay.apply(event(1, 60, 1, { ...folder, copiedFrom }), other);
  const copies = [...replay.membersOf(60).values()].map(({ id, name, contentRev }) => (
    [id, name, contentRev]));
  assert.deepEqual(copies, [[61, 'b', 1]]);
  assert.deepEqual(replay.broken, []);
});
