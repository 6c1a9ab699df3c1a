/** The process dies in the middle of a restore, and in the middle of taking it back. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.ts';
import { RestoreWork } from './restore-work.ts';

const PROGRAM = join(import.meta.dirname, 'restore-work.ts');
const SPECS = [
  'files.restore-slice:1', 'files.restore-slice:2', 'files.restore-slice:4',
  'metadata.before-commit:2', 'metadata.before-commit:9', 'metadata.after-commit:3',
  'metadata.after-commit:7',
];

/** Answers whether it was killed. */
function killed(...args: string[]): boolean {
  const { signal, status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], {
    timeout: 60_000, encoding: 'utf8',
  });
  if (signal === 'SIGKILL') return true;
  assert.equal(status, 0, stderr);
  return false;
}

describe('kill -9 in the middle of a batch', { timeout: 300_000 }, () => {
  it('leaves a restore that goes on to its end, and an undo that does', async () => {
    for (const spec of SPECS) {
      const file = join(scratchFolder('restore'), 'metadata.db');
      const before = await RestoreWork.open(file);
      const rev = await before.build();
      const upsideDown = await before.tree();
      const wanted = await before.tree(await before.past(rev));
      await before.close();

      assert.ok(killed(file, 'restore', String(rev), spec), `${spec} strikes`);
      const again = await RestoreWork.open(file);
      const batch = await again.resume();
      assert.deepEqual([batch.state, batch.skippedCount], ['done', 0], spec);
      assert.deepEqual(await again.tree(), wanted, spec);
      await again.close();

      assert.ok(killed(file, 'undo', String(batch.id), spec), `${spec} strikes again`);
      const last = await RestoreWork.open(file);
      const undo = await last.resume();
      assert.deepEqual([undo.kind, undo.state, undo.skippedCount], ['undo', 'done', 0], spec);
      assert.deepEqual(await last.tree(), upsideDown, spec);
      assert.equal((await last.store.findBatch(batch.id))?.state, 'undone');
      await last.close();
    }
  });
});
