import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lockData } from './data-lock.ts';

let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-lock-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

/** Another process that takes the lock, says so, and keeps it. */
async function otherHolder(directory: string): Promise<ChildProcess> {
  const program = `
    import { lockData } from ${JSON.stringify(import.meta.resolve('./data-lock.ts'))};
    lockData(${JSON.stringify(directory)}).announce('http://127.0.0.1:1');
    console.log('locked');
    setInterval(() => {}, 1000);
  `;
  const args = ['--input-type=module-typescript', '--eval', program];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(child.stdout !== null);
  await once(child.stdout, 'data');
  return child;
}

describe('The data lock', () => {
  it('is held by one process, names it to others, and ends with kill -9', async () => {
    const child = await otherHolder(root);
    const wanted = `already running on this data (pid ${child.pid}) on http://127.0.0.1:1.`;
    assert.throws(() => lockData(root), (error: Error) => error.message.includes(wanted));
    assert.throws(() => lockData(root), { kind: 'conflict', code: 'data-locked' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    lockData(root).release();
  });

  it('can be taken again once it was released, and released twice', () => {
    const first = lockData(root);
    assert.throws(() => lockData(root), { code: 'data-locked' });
    first.release();
    first.release();
    lockData(root).release();
  });
});
