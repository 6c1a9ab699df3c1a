/** The process dies before and after each commit of a transfer. */
import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.ts';
import { openTransferWork } from './transfer-program.ts';

const PROGRAM = join(import.meta.dirname, 'transfer-program.ts');
/** Gathering takes four commits, crossing one, what comes after it three. */
const COMMITS = [1, 2, 3, 4, 5, 6, 7, 8];
/** A program that starts while other suites have all processors takes long. */
const START_MS = 300_000;

function killed(file: string, spec: string): boolean {
  const { signal, status, stderr } = spawnSync(process.execPath, [PROGRAM, file, spec], {
    timeout: START_MS, encoding: 'utf8',
  });
  if (signal === 'SIGKILL') return true;
  assert.equal(status, 0, `${spec}: ${signal ?? 'an error'} ended it: ${stderr}`);
  return false;
}

describe('kill -9 in the middle of a transfer', { timeout: 1_800_000 }, () => {
  it('leaves all with the one or all with the other, every link at work, and goes on', async () => {
    const crossed = { no: 0, yes: 0 };
    for (const spec of COMMITS.flatMap((nth) => ['before', 'after'].map((when) =>
      `metadata.${when}-commit:${nth}`))) {
      const file = join(scratchFolder('transfer'), 'metadata.db');
      const before = await openTransferWork(file);
      const token = await before.build();
      await before.close();
      assert.ok(killed(file, spec), `${spec} strikes`);

      const work = await openTransferWork(file);
      const { site, anna, ben, carl } = work;
      const assertShared = async (): Promise<void> => {
        const visitor = await site.links.open({ token, password: undefined, address: '::1' });
        assert.deepEqual(await site.names(visitor), ['one.txt'], spec);
        assert.deepEqual(await site.names(carl, 'work'), ['one.txt'], spec);
      };
      await assertShared();
      const own = (await site.names(anna)).filter((name) => name !== 'Files of anna');
      const hasCrossed = (await site.names(ben)).includes('Files of anna');
      crossed[hasCrossed ? 'yes' : 'no'] += 1;
      if (hasCrossed) assert.deepEqual(await site.names(anna), [], spec);
      else {
        const gathered = (await site.names(anna)).includes('Files of anna')
          ? await site.names(anna, 'Files of anna') : [];
        assert.deepEqual([...own, ...gathered].sort(), ['diary.txt', 'work'], spec);
        assert.deepEqual((await work.transfer()).differences, [], spec);
      }
      const arrived = await site.names(ben, 'Files of anna');
      assert.deepEqual(arrived.filter((name) => name !== 'Files of anna'), ['diary.txt', 'work']);
      await assertShared();
      await work.close();
    }
    assert.ok(crossed.no >= 9 && crossed.yes >= 7, JSON.stringify(crossed));
  });
});
