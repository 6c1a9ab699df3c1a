/** The judges judged: a comparison that cannot fail would prove nothing. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { RunningCommand, run } from './command.ts';
import { membersOf } from './dav-client.ts';
import { eventually, within } from './deadline.ts';
import { needPrograms } from './programs.ts';
import type { Program } from './programs.ts';
import { scratchFolder } from './scratch.ts';
import { assertSameTree, hashFolder, readTree, seededBytes, write } from './trees.ts';

function sample(): string {
  const root = scratchFolder('sample');
  write(root, 'a/é.txt', 'bytes');
  mkdirSync(join(root, 'empty'));
  return root;
}

describe('the comparison of trees', () => {
  const changes: readonly (readonly [string, (root: string) => void])[] = [
    ['a changed byte', (root) => write(root, 'a/é.txt', 'Bytes')],
    ['a missing file', (root) => rmSync(join(root, 'a/é.txt'))],
    ['a missing empty folder', (root) => rmSync(join(root, 'empty'), { recursive: true })],
    ['a file too many', (root) => write(root, 'b', '')],
    ['a name composed otherwise', (root) => {
      renameSync(join(root, 'a/é.txt'), join(root, 'a/e\u0301.txt'));
    }],
    ['a file in place of a folder', (root) => {
      rmSync(join(root, 'empty'), { recursive: true });
      write(root, 'empty', '');
    }],
  ];
  for (const [what, change] of changes) {
    it(`notices ${what}`, () => {
      const [a, b] = [sample(), sample()];
      assertSameTree(readTree(a), readTree(b), 'before');
      assert.equal(hashFolder(a), hashFolder(b));
      change(b);
      assert.throws(() => assertSameTree(readTree(a), readTree(b), 'after'), /[12] differences/);
      assert.notEqual(hashFolder(a), hashFolder(b));
    });
  }

  it('leaves out what clients keep for themselves, and nothing else', () => {
    const root = scratchFolder('journal');
    for (const name of ['.sync_0123.db', '._sync_0123.db-wal', 'x (conflicted copy 2026).txt']) {
      write(root, name, 'x');
    }
    write(root, '.hidden', 'x');
    assert.deepEqual([...readTree(root).keys()], ['.hidden']);
  });

  it('makes the same bytes of the same seed, and others of another', () => {
    assert.ok(seededBytes(1000, 'a').equals(seededBytes(1000, 'a')));
    assert.ok(!seededBytes(1000, 'a').equals(seededBytes(1000, 'b')));
  });
});

describe('the command runner', () => {
  it('returns the exit code and both outputs', async () => {
    const outcome = await run('sh', ['-c', 'cat; echo problem >&2; exit 3'], { input: 'given' });
    assert.deepEqual({ ...outcome }, {
      code: 3, signal: undefined, stdout: 'given', stderr: 'problem\n',
    });
  });

  it('ends a command that takes too long, with its children, and shows its output', async () => {
    const command = new RunningCommand('sh', ['-c', 'sleep 60 & echo begun; wait']);
    await command.printed(/begun/, 5_000);
    await assert.rejects(command.end(50), /took longer than 50 ms.*begun/s);
    assert.equal((await command.ended).signal, 'SIGKILL');
  });

  it('rejects when the program ends before it prints what is waited for', async () => {
    const command = new RunningCommand('sh', ['-c', 'echo other']);
    await assert.rejects(command.printed(/wanted/, 5_000), /ended before.*other/s);
  });

  it('names the package of a program that is missing', () => {
    assert.throws(() => needPrograms('absent' as Program), /Missing: absent/);
  });
});

describe('waiting', () => {
  it('has an end', async () => {
    const never = new Promise(() => undefined);
    await assert.rejects(within(20, 'Nothing', never), /Nothing took longer than 20 ms/);
    await assert.rejects(eventually(20, 'rain', () => false), /in vain: rain/);
    assert.equal(await eventually(1_000, 'one', () => 1), 1);
  });
});

describe('the reader of multistatus answers', () => {
  it('decodes addresses and tells folders from files', () => {
    const xml = '<d:multistatus><d:response><d:href>/r/a%20&amp;%C3%A9/</d:href><d:collection/>'
      + '</d:response><d:response><d:href>/r/x</d:href></d:response></d:multistatus>';
    const members = membersOf(xml, '/r/').map(({ path, isFolder }) => ({ path, isFolder }));
    assert.deepEqual(members, [{ path: 'a &é', isFolder: true }, { path: 'x', isFolder: false }]);
  });

  it('refuses addresses of another place', () => {
    assert.throws(() => membersOf('<response><href>/s/x</href>', '/r/'), /not below/);
  });
});
