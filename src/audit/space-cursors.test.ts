import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { AuditLog } from './audit-log.ts';
import { SpaceCursors } from './space-cursors.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-cursors-'));
after(() => rm(root, { recursive: true }));

describe('SpaceCursors', () => {
  let folder: string;
  let count = 0;

  const append = async (events: readonly (readonly [space: number, rev: number])[]) => {
    const log = await AuditLog.open({
      folder, tenant: 'default', now: () => 0, segmentBytesMax: 500,
    });
    for (const [space, rev] of events) {
      await log.append({ at: 0, act: 'update', user: 'ada', space, rev });
    }
    await log.append({ at: 0, act: 'signed-in', user: 'ada' });
    await log.close();
    return log.place.seq;
  };
  const revs = async () => {
    const cursors = await SpaceCursors.open(folder);
    return [1, 2, 3].map((space) => cursors.of(space));
  };

  beforeEach(() => {
    folder = join(root, String(count++));
  });

  it('are read from the log where nothing was noted', async () => {
    assert.deepEqual(await revs(), [0, 0, 0]);
    await append([[1, 1], [2, 1], [1, 2], [1, 3], [2, 2], [2, 3], [2, 4], [2, 5]]);
    assert.deepEqual(await revs(), [3, 5, 0]);
  });

  it('go on from the note with what came later', async () => {
    const seq = await append([[1, 1], [2, 1], [1, 2]]);
    const cursors = await SpaceCursors.open(folder);
    cursors.advance(3, 7, seq);
    await cursors.save();
    await append([[1, 3], [2, 2]]);
    assert.deepEqual(await revs(), [3, 2, 7], 'the 7 is in the note alone');
  });

  it('do without a note that cannot be understood', async () => {
    await append([[1, 1]]);
    for (const text of ['', '{', '{}', 'null', '{"seq":1}']) {
      await writeFile(join(folder, 'cursors.json'), text);
      assert.deepEqual(await revs(), [1, 0, 0]);
    }
  });
});
