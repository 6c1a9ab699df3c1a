import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, it } from 'node:test';
import { parseBlockId, type BlockId } from '../../base/ids.ts';
import { SeededRandom, systemClock, systemRandom } from '../../platform/index.ts';
import { LocalVolumeStore } from '../backends/local/local-volume-store.ts';
import { MirrorStore } from './mirror-store.ts';

const ROUNDS = 4;
const root = await mkdtemp(join(tmpdir(), 'holdfast-mirror-crash-'));
after(() => rm(root, { recursive: true, force: true }));

/** Puts blocks through a mirror as fast as it can, and says which are acknowledged. */
const PROGRAM = `
  const load = (path) => import(new URL(path, ${JSON.stringify(import.meta.url)}));
  const { MirrorStore } = await load('./mirror-store.ts');
  const { LocalVolumeStore } = await load('../backends/local/local-volume-store.ts');
  const { Block } = await load('../block.ts');
  const { systemClock: clock, systemRandom: random } = await load('../../platform/index.ts');
  const [root, round] = process.argv.slice(1);
  const open = (name) => LocalVolumeStore.open({
    root: root + '/' + name, witness: [], clock, onFinding: () => undefined,
  });
  const mirror = await MirrorStore.open({
    first: await open('first'), second: await open('second'), policy: 'async', pair: 'crash test',
    folder: root + '/queue', clock, random, limits: { copyBytesPerSecondMax: 5_000 },
  });
  const work = async (lane) => {
    for (let count = 0; ; count += 1) {
      const block = Block.of([Buffer.from([round, lane, count].join(' ').repeat(20))]);
      await mirror.put(block);
      process.stdout.write(block.id + '\\n');
    }
  };
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(work));
`;

/** The blocks that a process had acknowledged when it was killed. */
async function runUntilKilled(round: number, count: number): Promise<BlockId[]> {
  const args = ['--input-type=module-typescript', '--eval', PROGRAM, root, String(round)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  assert.ok(child.stdout !== null);
  const acknowledged: BlockId[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.length === 64) acknowledged.push(parseBlockId(line));
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  assert.equal(child.signalCode, 'SIGKILL');
  return acknowledged;
}

it('A mirror that is killed again and again loses nothing from its queue', async () => {
  const random = new SeededRandom(11);
  const acknowledged: BlockId[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    acknowledged.push(...await runUntilKilled(round, 50 + random.below(200)));
  }
  const open = (name: string): Promise<LocalVolumeStore> => LocalVolumeStore.open({
    root: join(root, name), witness: [], clock: systemClock, onFinding: () => undefined,
  });
  const second = await open('second');
  const mirror = await MirrorStore.open({
    first: await open('first'), second, policy: 'async', pair: 'crash test',
    folder: join(root, 'queue'), clock: systemClock, random: systemRandom,
  });
  assert.ok(mirror.status().lag.blocks > 50, 'else the kills came too late to prove anything');
  while (mirror.status().lag.blocks > 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(mirror.status().comparisons, 0, 'the queue alone knew');
  for (const id of acknowledged) assert.ok(await second.get(id), id);
  await mirror.close();
});
