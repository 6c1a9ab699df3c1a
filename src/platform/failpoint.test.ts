import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { armFailpoint } from './failpoint.ts';

function run(program: string): { signal: string | null; output: string } {
  const door = JSON.stringify(import.meta.resolve('./failpoint.ts'));
  const source = `import { armFailpoint, failpoint } from ${door};\n${program}`;
  const args = ['--input-type=module-typescript', '--eval', source];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { signal, output: stdout + stderr };
}

describe('A failpoint', { timeout: 60_000 }, () => {
  it('lets the process die at the nth call of its name', () => {
    const result = run(`
      import { writeSync } from 'node:fs';
      armFailpoint('storage.after-write:3');
      for (let call = 1; call <= 4; call += 1) {
        failpoint('storage.other');
        failpoint('storage.after-write');
        writeSync(1, call + ' ');
      }
    `);
    assert.deepEqual(result, { signal: 'SIGKILL', output: '1 2 ' });
  });

  it('lets the process stand still, and go on when it is woken', async () => {
    const door = JSON.stringify(import.meta.resolve('./failpoint.ts'));
    const source = `import { armFailpoint, failpoint } from ${door};
      armFailpoint('storage.after-write:2:stop');
      failpoint('storage.after-write');
      failpoint('storage.after-write');
      process.stdout.write('woken');`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', source]);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = once(child, 'close');
    try {
      const state = (): string => readFileSync(`/proc/${child.pid}/status`, 'utf8');
      while (!/^State:\tT/m.test(state())) await pause(20);
      assert.equal(said, '');
      child.kill('SIGCONT');
      assert.deepEqual(await ended, [0, null]);
      assert.equal(said, 'woken');
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('does nothing while it is not armed', () => {
    assert.equal(run(`failpoint('storage.after-write');`).signal, null);
  });

  it('reaches worker threads', () => {
    const door = JSON.stringify(import.meta.resolve('./failpoint.ts'));
    const worker = `import { failpoint } from ${door};
      failpoint('storage.after-write');`;
    const result = run(`
      import { Worker } from 'node:worker_threads';
      armFailpoint('storage.after-write');
      new Worker(new URL('data:text/javascript,' + encodeURIComponent(${JSON.stringify(worker)})));
    `);
    assert.equal(result.signal, 'SIGKILL', result.output);
  });

  it('refuses a name that is none', () => {
    for (const wrong of ['', 'storage', 'storage.x:0', 'storage.x:-1', 'a b.c']) {
      assert.throws(() => armFailpoint(wrong), { kind: 'invalid' }, wrong);
    }
  });
});
