import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { ManualClock } from './clock.ts';
import { findDataDirectory, openDataDirectory } from './data-directory.ts';

const clock = new ManualClock(Date.UTC(2030, 0, 1));
let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-data-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

describe('The data directory', () => {
  it('is made where there is none, and is the same instance when opened again', async () => {
    const path = join(root, 'new', 'deep');
    const made = await openDataDirectory(path, clock);
    assert.deepEqual([made.isNew, made.format], [true, 1]);
    assert.equal(made.createdAt, '2030-01-01T00:00:00.000Z');
    assert.deepEqual(await openDataDirectory(path, clock), { ...made, isNew: false });
    assert.deepEqual(await readdir(path), ['holdfast.json']);
  });

  it('is one instance when several make it at the same time', async () => {
    const path = join(root, 'race');
    const all = await Promise.all(Array.from({ length: 8 }, () => openDataDirectory(path, clock)));
    assert.equal(new Set(all.map(({ instanceId }) => instanceId)).size, 1);
    assert.equal(all.filter(({ isNew }) => isNew).length, 1);
  });

  it('may hold the traces of a start that was cut short', async () => {
    const path = join(root, 'cut');
    await mkdir(path);
    await writeFile(join(path, 'holdfast.json.0b0e7ae4-0a09-4f6b-9b2b-111111111111.draft'), '{');
    assert.equal((await openDataDirectory(path, clock)).isNew, true);
  });

  const refused: readonly (readonly [string, string, string, string])[] = [
    ['of somebody else', 'data-foreign', 'photos.zip', 'x'],
    ['of a newer version', 'data-newer', 'holdfast.json', '{"format":2}'],
    ['with a damaged marker', 'data-damaged', 'holdfast.json', '{"format":'],
    ['with an empty marker', 'data-damaged', 'holdfast.json', ''],
    ['with a marker that is no object', 'data-damaged', 'holdfast.json', 'null'],
    ['with a marker without an instance', 'data-damaged', 'holdfast.json', '{"format":1}'],
  ];
  for (const [what, code, name, content] of refused) {
    it(`is refused and left untouched when it is one ${what}`, async () => {
      const path = await mkdtemp(join(root, 'refused-'));
      await writeFile(join(path, name), content);
      const rightCode = (error: unknown): boolean => {
        return error instanceof HoldfastError && error.kind === 'conflict' && error.code === code;
      };
      await assert.rejects(openDataDirectory(path, clock), rightCode);
      assert.deepEqual(await readdir(path), [name]);
      assert.equal(await readFile(join(path, name), 'utf8'), content);
    });
  }

  it('is found when it is there, and not made when it is not', async () => {
    const absent = join(root, 'mistyped');
    await assert.rejects(findDataDirectory(absent), { kind: 'not-found' });
    assert.ok(!(await readdir(root)).includes('mistyped'));
    const empty = join(root, 'empty');
    await mkdir(empty);
    await assert.rejects(findDataDirectory(empty), { kind: 'not-found' });
    assert.deepEqual(await readdir(empty), []);
    const made = await openDataDirectory(join(root, 'there'), clock);
    assert.deepEqual(await findDataDirectory(join(root, 'there')), { ...made, isNew: false });
  });

  it('is unavailable, not empty, when the path is a file', async () => {
    const path = join(root, 'file');
    await writeFile(path, '');
    await assert.rejects(openDataDirectory(path, clock), { kind: 'unavailable' });
  });
});
