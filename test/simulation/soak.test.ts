/** What whoever soaks the store is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { soak } from './soak.ts';

describe('a soak', () => {
  it('plays the histories that were asked for, and says so', async () => {
    const lines: string[] = [];
    assert.equal(await soak(['--seed', '5', '--histories', '3'], (line) => lines.push(line)), true);
    assert.match(lines.join('\n'), /\nok: 3 histories with \d+ calls to disks .*seeds from 5 on/);
  });

  it('says what it has not done, and what has never happened', async () => {
    const lines: string[] = [];
    assert.equal(await soak(['1s', '--threads', '1'], (line) => lines.push(line)), true);
    assert.match(lines.join('\n'), /not done: crash states and erasure sets/);
    assert.match(lines.join('\n'), /never happened, in fewer than 1500 histories: /);
  });

  it('refuses a time that is none', async () => {
    await assert.rejects(soak(['soon'], () => undefined), /Say for how long/);
  });
});
