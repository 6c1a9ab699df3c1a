import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { NoteFolder } from './note-folder.ts';

const OPTIONS = {
  idPattern: '[a-z]{3,10}', filesMax: 100, op: 'test',
  messages: { full: 'No room.', unavailable: 'Away.' },
};

describe('A folder of notes', () => {
  let root = '';
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'holdfast-notes-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it('gives back what was written last, and nothing that was deleted', async () => {
    const path = join(root, 'notes');
    const { folder, notes } = await NoteFolder.open(path, OPTIONS);
    assert.deepEqual(notes, []);
    await folder.write({ id: 'first', text: '1' });
    await folder.write({ id: 'first', text: '2' });
    await folder.write({ id: 'second', text: 'x' });
    await folder.delete('second');
    await folder.delete('second');
    const again = await NoteFolder.open(path, OPTIONS);
    assert.deepEqual(again.notes, [{ id: 'first', text: '2' }]);
    assert.equal((await stat(path)).mode & 0o777, 0o700);
    assert.equal((await stat(join(path, 'first.json'))).mode & 0o777, 0o600);
  });

  it('removes drafts of a crash, and leaves alone what is not its own', async () => {
    for (const name of ['abc.json.draft', 'abc.json', 'A.json', 'A.json.draft', 'readme']) {
      await writeFile(join(root, name), name);
    }
    const { notes } = await NoteFolder.open(root, OPTIONS);
    assert.deepEqual(notes, [{ id: 'abc', text: 'abc.json' }]);
    assert.deepEqual((await readdir(root)).toSorted(),
      ['A.json', 'A.json.draft', 'abc.json', 'readme']);
  });

  it('says in its owner\'s words that the disk fails', async () => {
    await writeFile(join(root, 'file'), '');
    const opening = NoteFolder.open(join(root, 'file'), OPTIONS);
    await assert.rejects(opening, (error) =>
      isKind(error, 'unavailable') && error.message === 'Away.');
  });
});
