/** The measurement of a large past, tried on a small one: its statements still fit the tables, and
 *  a first look at the past costs nothing that grows with it. */
import { it } from 'node:test';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { scratchFolder } from '../support/scratch.ts';
import { REPOSITORY } from '../support/server.ts';
import { FIRST_LISTING_MS_MAX } from './past.ts';

const PROGRAM = join(REPOSITORY, 'test/scale/past.ts');

it('lists the past of a space with 50,000 events in less than 100 ms', { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath, [PROGRAM, scratchFolder('scale'), '10000'], {
      encoding: 'utf8', timeout: 100_000,
    },
  );
  assert.equal(status, 0, stderr);
  const times = [...stdout.matchAll(/first listing.* ([\d.]+) ms/g)].map(([, ms]) => Number(ms));
  assert.equal(times.length, 6, stdout);
  for (const ms of times) assert.ok(ms < FIRST_LISTING_MS_MAX, stdout);
});
