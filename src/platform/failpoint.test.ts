import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { armFailpoint } from './failpoint.ts';

function run(program: string): { signal: string | null; output: string } {
  const door = JSON.stringify(import.meta.resolve('./failpoint.ts'));
  const source = `import { armFailpoint, failpoint } from ${door};\n${program}`;
  const args = ['--input-type=module-typescript', '--eval', source];
  const { signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  return { signal, output: stdout + stderr };
}

describe('A failpoint', () => {
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
