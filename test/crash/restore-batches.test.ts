/** The process dies in the middle of a restore with all that was shared, in the middle of taking it
 *  back, and in the middle of forgetting. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.ts';
import { RestoreWork } from './restore-work.ts';

const PROGRAM = join(import.meta.dirname, 'restore-work.ts');
const SPECS = [
  'files.restore-slice:1', 'files.restore-slice:2', 'files.restore-slice:4',
  'metadata.before-commit:2', 'metadata.after-commit:7', 'files.restore-sharing:1',
];
const FORGET_SPECS = ['metadata.before-commit:1', 'metadata.after-commit:2',
  'metadata.before-commit:4'];

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
    const built = join(scratchFolder('restore'), 'metadata.db');
    const before = await RestoreWork.open(built);
    const rev = await before.build();
    const upsideDown = await before.tree();
    const wanted = await before.tree(await before.past(rev));
    const shared = [await before.shares(await before.past(rev)), await before.shares()];
    await before.close();
    for (const spec of SPECS) {
      const file = join(scratchFolder('restore'), 'metadata.db');
      copyFileSync(built, file);
      assert.ok(killed(file, 'restore', String(rev), spec), `${spec} strikes`);
      const again = await RestoreWork.open(file);
      const batch = await again.resume();
      assert.deepEqual([batch.state, batch.skippedCount], ['done', 0], spec);
      assert.deepEqual(await again.tree(), wanted, spec);
      assert.deepEqual(await again.shares(), shared[0], spec);
      await again.close();

      assert.ok(killed(file, 'undo', String(batch.id), spec), `${spec} strikes again`);
      const last = await RestoreWork.open(file);
      const undo = await last.resume();
      assert.deepEqual([undo.kind, undo.state, undo.skippedCount], ['undo', 'done', 0], spec);
      assert.deepEqual(await last.tree(), upsideDown, spec);
      assert.deepEqual(await last.shares(), shared[1], spec);
      assert.equal((await last.store.findBatch(batch.id))?.state, 'undone');
      await last.close();
    }
  });

  it('leaves forgetting that goes on, and never reaches what is live', async () => {
    const control = join(scratchFolder('forget'), 'metadata.db');
    const built = await RestoreWork.open(control);
    await built.build();
    await built.close();
    const copies = FORGET_SPECS.map((spec) => {
      const file = join(scratchFolder('forget'), 'metadata.db');
      copyFileSync(control, file);
      return { spec, file };
    });
    const whole = await RestoreWork.open(control);
    const [tree, shares, before] = [await whole.tree(), await whole.shares(), await whole.kept()];
    await whole.forget();
    const wanted = await whole.kept();
    assert.notDeepEqual(wanted, before);
    assert.deepEqual(await whole.tree(), tree);
    await whole.close();
    for (const { spec, file } of copies) {
      assert.ok(killed(file, 'forget', '0', spec), `${spec} strikes`);
      const again = await RestoreWork.open(file);
      assert.deepEqual([await again.tree(), await again.shares()], [tree, shares], spec);
      await again.forget();
      assert.deepEqual(await again.kept(), wanted, spec);
      assert.deepEqual([await again.tree(), await again.shares()], [tree, shares], spec);
      await again.close();
    }
  });
});
