import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { runCommandLine } from '../command-line.ts';
import { MemoryTerminal } from '../memory-terminal.ts';
import { digestCommand } from './digest.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-digest-command-'));
after(() => rm(root, { recursive: true }));

async function run(folder: string) {
  const terminal = new MemoryTerminal();
  const exit = await runCommandLine(['digest', folder], {
    commands: [digestCommand], terminal, version: '1',
  });
  return { exit, out: terminal.printed.trim().split('\n'), err: terminal.complaints };
}

it('holdfast digest counts a folder and prints its digest', async () => {
  const folder = join(root, 'work');
  await mkdir(join(folder, 'sub/empty'), { recursive: true });
  await writeFile(join(folder, 'a.txt'), 'first\n');
  await writeFile(join(folder, 'sub/b'), 'second');
  const { exit, out } = await run(folder);
  assert.equal(exit, 0);
  // The digest was computed by the program in docs/formats/folder-digest.md.
  assert.deepEqual(out, [
    'files: 2', 'folders: 2', 'bytes: 12',
    'digest: hfd1-a583b624a15ba212b7f762c5d6a2839e1750ba8f32c8c7ab6885159225fcb617',
  ]);
  assert.deepEqual((await run(`${folder}/`)).out, out);
});

it('holdfast digest says what it leaves out, and that it cannot read', async () => {
  const folder = join(root, 'odd');
  await mkdir(folder);
  await symlink('/etc/passwd', join(folder, 'link'));
  await writeFile(Buffer.concat([Buffer.from(join(folder, 'x')), Buffer.from([0xff])]), '1');
  const { exit, out, err } = await run(folder);
  assert.equal(exit, 1);
  assert.equal(out[0], 'files: 0');
  assert.match(err, /neither a file nor a folder[^]*not UTF-8[^]*Left out: 2/);
  const missing = await run(join(root, 'missing'));
  assert.equal(missing.exit, 2);
  assert.match(missing.err, /There is no such folder/);
  const file = join(root, 'file');
  await writeFile(file, 'x');
  assert.match((await run(file)).err, /This is a file\. Name the folder/);
  assert.match((await run(join(file, 'below'))).err, /cannot be read \(ENOTDIR\)/);
});
