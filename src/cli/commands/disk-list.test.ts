import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { MemoryTerminal } from '../memory-terminal.ts';
import type { Answer } from '../disk-command.ts';
import { diskList } from './disk-list.ts';

const LABELS = { disk: 'd', host: 'h', rack: 'r', zone: 'z' };
const HEALTHY = {
  id: 'one', labels: LABELS, where: '/mnt/one', state: 'active', answers: true,
  freeBytes: 2 ** 30, totalBytes: 2 ** 31, volumeCount: 1, volumeBytes: 5_000_000, neededCount: 1,
};
const IDLE = { volumesWaiting: 0, toDoBytes: 0, doneBytes: 0, blocked: [] };

async function shown(answer: Answer): Promise<string> {
  const terminal = new MemoryTerminal();
  const command = diskList({ slices: [], ask: () => Promise.resolve(answer) });
  assert.equal(await command.run(terminal, { args: [], flags: {} }), 0);
  return terminal.printed;
}

function several(disks: readonly object[], repair: object = IDLE): Answer {
  const policy = { copies: 2, acksMin: 2, domain: 'disk' };
  return { single: false, policy, missingAfterMs: 900_000, disks, repair };
}

describe('disk list', () => {
  it('says that disks were added and wait for the next start', async () => {
    const single = { single: true, storedBytes: 0 };
    assert.match(await shown({ ...single, addedCount: 0 }), /Add a disk with/);
    const text = await shown({ ...single, addedCount: 2 });
    assert.match(text, /2 more disks were added: start the server again to use them/);
  });

  it('says when the copies of a silent disk are made anew', async () => {
    const silent = { ...HEALTHY, id: 'two', answers: false, silentMs: 360_000 };
    const text = await shown(several([HEALTHY, silent]));
    assert.match(text, /two does not answer.*If that lasts another 9 min/);
    assert.match(text, /all its copies, if those disks come back with theirs/);
    assert.match(await shown(several([HEALTHY])), /^Every volume has all its copies\.$/m);
  });

  it('says what is done about a missing disk, and promises no end that nobody knows', async () => {
    const missing = { ...HEALTHY, id: 'two', answers: false, state: 'missing' };
    const waiting = {
      volumesWaiting: 1, toDoBytes: 5_000_000, doneBytes: 0, remainingMs: 5_000,
      blocked: [{ volumeId: 7, reason: 'no place' }],
    };
    const text = await shown(several([HEALTHY, missing], waiting));
    assert.match(text, /two is taken for lost/);
    assert.match(text, /1 volume lacks copies/);
    assert.match(text, /volume 7 waits: no place/);
    assert.doesNotMatch(text, /left/);
    assert.match(await shown(several([HEALTHY], { ...waiting, blocked: [] })), /about 5 s left/);
  });
});
