import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runHistory } from './testing/replicated-history.ts';

const FIRST_SEED = 1;
const HISTORIES = 12;
const STEPS = 40;

it('loses nothing and gives out nothing wrong, whatever single disks do', async () => {
  const seen = new Set<string>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
    const first = await runHistory(seed, STEPS);
    for (const one of first.seen) seen.add(one);
    if (seed % 4 !== 0) continue;
    const second = await runHistory(seed, STEPS);
    assert.equal(second.trace, first.trace, `seed ${seed} has two outcomes`);
  }
  // Histories in which nothing rare happens prove nothing.
  const rare = ['copy-failed', 'copy-short', 'copy-made', 'disk-silent', 'refused'];
  assert.deepEqual(rare.filter((one) => !seen.has(one)), []);
});
