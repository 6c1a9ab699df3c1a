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
const IDLE = { volumesWaiting: 0, toDoBytes: 0, doneBytes: 0, blocked: [], damaged: [] };

async function shown(answer: Answer): Promise<string> {
  const terminal = new MemoryTerminal();
  const command = diskList({ slices: [], ask: () => Promise.resolve(answer) });
  assert.equal(await command.run(terminal, { args: [], flags: {} }), 0);
  return terminal.printed;
}

function several(
  disks: readonly object[], repair: object = IDLE, newVolumes: object = { copies: 2 },
): Answer {
  const policy = { copies: 2, acksMin: 2, domain: 'disk' };
  const rest = { missingAfterMs: 900_000, serving: true, newVolumes };
  return { single: false, policy, disks, repair: { ...IDLE, ...repair }, ...rest };
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

  it('names volumes without a sound copy and what to do, never that all is well', async () => {
    const damaged = [
      { volumeId: 7, diskIds: ['one', 'two'], awayIds: [], reason: 'Damaged in all copies.' },
      { volumeId: 9, diskIds: [], awayIds: ['three'] },
    ];
    const blocked = [{ volumeId: 7, reason: 'Damaged in all copies.' }];
    const text = await shown(several([HEALTHY], { volumesWaiting: 2, blocked, damaged }));
    assert.match(text, /2 volumes HAVE NO SOUND COPY/);
    assert.match(text, /volume 7, on one, two: Damaged in all copies\./);
    assert.match(text, /volume 9, on no disk that answers.*\n.*Bring back three/);
    assert.match(text, /restore-one-volume\.md/);
    assert.doesNotMatch(text, /Every volume has/);
    assert.doesNotMatch(text, /volume 7 waits/);
  });

  it('says why a disk is left alone that answers, and when it is tried again', async () => {
    const refusal = { code: 'EROFS', count: 4, retryMs: 8_000 };
    const text = await shown(several([HEALTHY, { ...HEALTHY, id: 'two', refusal }]));
    assert.match(text, /two {2}active, REFUSES WRITES/);
    assert.match(text, /two answers, but refused.*\(EROFS, 4 times.*again in 8 s.*disk drain two/);
  });

  it('says when new files get fewer copies, or none, and why', async () => {
    const few = await shown(several([HEALTHY], IDLE, { copies: 1, reason: 'one is away' }));
    assert.match(few, /New files get 1 copy for now: one is away/);
    const none = await shown(several([HEALTHY], IDLE, { copies: 0, reason: 'all are away' }));
    assert.match(none, /NEW FILES ARE REFUSED: all are away/);
    assert.doesNotMatch(await shown(several([HEALTHY])), /[Nn]ew files/);
  });

  it('shows how far a copy is, groups what waits alike, and tells the next step', async () => {
    const reason = '1 more copy needs 1 more disk';
    const busy = {
      volumesWaiting: 3, toDoBytes: 3 * 2 ** 30, doneBytes: 2 ** 20, remainingMs: 16_000,
      bytesPerSecond: 64 * 2 ** 20,
      current: { volumeId: 4, doneBytes: 2 ** 29, sizeBytes: 2 ** 30 },
      blocked: [{ volumeId: 5, reason }, { volumeId: 6, reason }],
    };
    const text = await shown(several([HEALTHY], busy));
    assert.match(text, /3 volumes lack copies: 3\.0 GiB to copy, about 16 s left for what can be/);
    assert.match(text, /volume 4 is being copied: 50 % of 1\.0 GiB, at 64\.0 MiB a second/);
    assert.match(text, /volumes 5, 6 wait: 1 more copy/);
    const drained = { ...HEALTHY, id: 'two', state: 'draining', neededCount: 0 };
    assert.match(await shown(several([HEALTHY, drained])), /Next: holdfast disk retire two/);
  });
});
