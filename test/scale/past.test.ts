/** The measurements of a large past, tried on a small one: their statements still fit the tables,
 *  and neither a first look at the past nor a slice of a restore costs what grows with it. */
import { it } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.ts';
import { REPOSITORY } from '../support/server.ts';
import { FIRST_LISTING_MS_MAX } from './past.ts';
import { CALLS_PER_SLICE_MAX } from './restore.ts';

const PROGRAM = join(REPOSITORY, 'test/scale/past.ts');
const RESTORE = join(REPOSITORY, 'test/scale/restore.ts');

it('lists the past of a space with 50,000 events in less than 100 ms', { timeout: 300_000 }, () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, [PROGRAM, scratchFolder('scale'), '10000'], {
      encoding: 'utf8', timeout: 280_000,
    },
  );
  assert.equal(status, 0, stderr);
  const found = [...stdout.matchAll(/first listing: (.*?) +([\d.]+) ms/g)];
  assert.equal(found.length, 6, stdout);
  // Each is looked at three times: a moment in which others work does not make all of them slow.
  for (const [what = '', times = []] of Map.groupBy(found, ([, folder]) => folder)) {
    assert.equal(times.length, 3, stdout);
    const fastestMs = Math.min(...times.map(([, , ms]) => Number(ms)));
    assert.ok(fastestMs < FIRST_LISTING_MS_MAX, `${what}: ${stdout}`);
  }
});

it('asks the store as often for each slice of a restore of 6,000 as for one of 2,000', {
  timeout: 240_000,
}, () => {
  const [few, many] = [2_000, 6_000].map((entries) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath, [RESTORE, scratchFolder('scale'), String(entries)], {
        encoding: 'utf8', timeout: 100_000,
      },
    );
    assert.equal(status, 0, stderr);
    return [...stdout.matchAll(/per slice, median, most +(\d+), (\d+)/g)].map(([, , most]) =>
      Number(most));
  });
  assert.ok(few !== undefined && many !== undefined);
  assert.equal(many.length, 2);
  for (const [deed, most] of many.entries()) {
    assert.ok(most <= CALLS_PER_SLICE_MAX, `${most} calls`);
    assert.ok(most <= (few[deed] ?? 0) * 1.2, `${few[deed]} calls, then ${most}`);
  }
});
