/** What whoever soaks the store is told. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parseTape } from './history/tape.ts';
import { soak } from './soak.ts';

const BUG = 'does not sync the folder';

async function told(...args: readonly string[]): Promise<{ isFine: boolean; text: string }> {
  const lines: string[] = [];
  const isFine = await soak(args, (line) => lines.push(line));
  return { isFine, text: lines.join('\n') };
}

describe('a soak', () => {
  it('plays the histories that were asked for, and says so', async () => {
    const { isFine, text } = await told('--seed', '5', '--histories', '2');
    assert.ok(isFine);
    assert.match(text, /\nok: 2 histories with \d+ calls to disks .*seeds from 5 on/);
  });

  it('says what it has not done, and what has never happened', async () => {
    const { isFine, text } = await told('1s', '--threads', '1');
    assert.ok(isFine);
    assert.match(text, /not done: crash states and erasure sets/);
    assert.match(text, /never happened, in fewer than 1500 histories: /);
  });

  it('finds a planted bug, leaves its tape, and says how to see it again', async () => {
    const { isFine, text } = await told('--seed', '1', '--histories', '50', '--plant', BUG,
      '--threads', '1');
    assert.ok(!isFine);
    assert.match(text, /\nFAILED: /);
    const seed = /\nSeed (\d+) fails/.exec(text)?.[1] ?? '';
    const again = `npm run soak -- --seed ${seed} --histories 1 --plant '${BUG}'`;
    assert.ok(text.includes(`The same history again:  ${again}`), text);
    const path = /\nWhat is left of it: +(\S+)/.exec(text)?.[1] ?? '';
    const { steps } = parseTape(readFileSync(path, 'utf8'));
    rmSync(path);
    assert.ok(steps.length < 15, `${steps.length} steps are left`);
  });

  it('refuses what it does not understand', async () => {
    await assert.rejects(told('soon'), /Say for how long/);
    await assert.rejects(told('--histories', 'all'), /whole number/);
    await assert.rejects(told('1h', '--histories', '3'), /not both/);
    await assert.rejects(told('--plant', 'eats bytes'), /These can be planted[^]*before the sync/);
  });
});
