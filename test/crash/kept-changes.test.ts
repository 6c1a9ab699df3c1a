/** The process dies while what was held of a device is made for everybody. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.ts';
import { KeepWork } from './keep-work.ts';

const PROGRAM = join(import.meta.dirname, 'keep-work.ts');
const SPECS = [
  'files.keep-slice:1', 'metadata.before-commit:2', 'metadata.after-commit:1',
  'metadata.after-commit:3',
];

describe('kill -9 in the middle of keeping', { timeout: 900_000 }, () => {
  it('leaves a batch that goes on to the very end that it would have come to', async () => {
    const built = join(scratchFolder('keep'), 'metadata.db');
    const before = await KeepWork.open(built);
    await before.build();
    const untouched = await before.tree();
    await before.close();
    const fresh = (): string => {
      const file = join(scratchFolder('keep'), 'metadata.db');
      copyFileSync(built, file);
      return file;
    };
    const calm = await KeepWork.open(fresh());
    await calm.keep();
    const wanted = await calm.tree();
    await calm.close();
    assert.ok(wanted.length < untouched.length / 2 && wanted.length > 50);
    for (const spec of SPECS) {
      const file = fresh();
      const { signal, stderr } = spawnSync(process.execPath, [PROGRAM, file, spec], {
        timeout: 240_000, encoding: 'utf8',
      });
      assert.equal(signal, 'SIGKILL', `${spec} strikes: ${stderr}`);
      const again = await KeepWork.open(file);
      await again.goOn();
      const [quarantine] = await again.brakes.list({ all: true });
      assert.deepEqual([quarantine?.state, quarantine?.heldCount, quarantine?.heldBytes],
        ['kept', 0, 0], spec);
      assert.deepEqual(await again.tree(), wanted, spec);
      await again.undo(quarantine?.batchId ?? 0);
      assert.deepEqual(await again.tree(), untouched, `${spec}, undone`);
      await again.close();
    }
  });
});
