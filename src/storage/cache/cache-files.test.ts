import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { codeOf, type CacheFiles } from './cache-files.ts';
import { NodeCacheFiles } from './node-cache-files.ts';
import { MemoryCacheFiles } from './testing/memory-cache-files.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-cache-files-'));
after(() => rm(root, { recursive: true, force: true }));

async function namesIn(files: CacheFiles): Promise<string[]> {
  const names: string[] = [];
  for await (const name of files.list()) names.push(name);
  return names.sort();
}
const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT';

const kinds: Readonly<Record<string, () => CacheFiles>> = {
  NodeCacheFiles: () => new NodeCacheFiles(join(root, 'one', 'two')),
  MemoryCacheFiles: () => new MemoryCacheFiles(),
};
for (const [name, make] of Object.entries(kinds)) {
  describe(`${name} keeps the promises of CacheFiles`, () => {
    it('needs its folder, makes it, and takes a second making calmly', async () => {
      const files = make();
      await assert.rejects(files.write('a', [Buffer.from('x')]), isAbsent);
      await assert.rejects(namesIn(files), isAbsent);
      await files.prepare();
      await files.prepare();
      assert.deepEqual(await namesIn(files), []);
    });

    it('gives back what was written, in parts, and short at the end', async () => {
      const files = make();
      await files.prepare();
      await files.write('a', [Buffer.from('012'), Buffer.from('3456'), Buffer.from('789')]);
      const parts = await files.read('a', [
        { position: 0, lengthBytes: 4 }, { position: 8, lengthBytes: 5 },
        { position: 20, lengthBytes: 1 },
      ]);
      assert.deepEqual(parts.map(String), ['0123', '89', '']);
      assert.deepEqual(await namesIn(files), ['a']);
    });

    it('replaces, removes, and removes calmly what is not there', async () => {
      const files = make();
      await files.prepare();
      await files.write('b', [Buffer.from('old')]);
      await files.write('b', [Buffer.from('new')]);
      const part = { position: 0, lengthBytes: 9 };
      assert.equal(String((await files.read('b', [part]))[0]), 'new');
      await files.remove('b');
      await files.remove('b');
      await assert.rejects(files.read('b', [part]), isAbsent);
    });
  });
}

it('NodeCacheFiles shows what it keeps to nobody else', async () => {
  const folder = join(root, 'private');
  const files = new NodeCacheFiles(folder);
  await files.prepare();
  await files.write('a', [Buffer.from('x')]);
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  assert.equal((await stat(join(folder, 'a'))).mode & 0o777, 0o600);
});
