import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { NewAuditEntry } from './audit-entry.ts';
import { leaveEntry, takeEntries } from './audit-inbox.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-inbox-'));
after(() => rm(root, { recursive: true }));

const entryOf = (at: number): NewAuditEntry =>
  ({ at, act: 'user-added', user: '', subject: 'ada' });

describe('The inbox of the audit log', () => {
  it('hands over what commands left, oldest first, and once', async () => {
    for (const at of [3, 1, 2]) await leaveEntry(root, entryOf(at));
    const taken: NewAuditEntry[] = [];
    const append = async (entry: NewAuditEntry) => void taken.push(entry);
    assert.equal(await takeEntries(root, append), 3);
    assert.equal(await takeEntries(root, append), 0);
    assert.deepEqual(taken, [1, 2, 3].map(entryOf));
  });

  it('keeps what could not be taken over, and overlooks what was not finished', async () => {
    await leaveEntry(root, entryOf(1));
    await writeFile(join(root, 'inbox', 'x.json.draft'), '{"at"');
    await assert.rejects(takeEntries(root, () => Promise.reject(new Error('full'))), /full/);
    assert.equal((await readdir(join(root, 'inbox'))).length, 2);
    assert.equal(await takeEntries(root, () => Promise.resolve()), 1);
  });

  it('is empty where no command was ever run', async () => {
    assert.equal(await takeEntries(join(root, 'other'), () => Promise.resolve()), 0);
  });
});
