import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { NodeVolumeFiles } from './node-volume-files.ts';
import { SeededRandom } from './testing/random.ts';
import { SimulatedVolumeFiles } from './testing/simulated-volume-files.ts';
import { patterned, testVolumeFiles } from './volume-files.conformance.ts';

const base = await mkdtemp(join(tmpdir(), 'holdfast-volume-files-'));
after(() => rm(base, { recursive: true }));
let count = 0;

function folder(): string {
  return join(base, String(count++), 'volumes');
}

testVolumeFiles('NodeVolumeFiles', () => Promise.resolve(new NodeVolumeFiles(folder())));
testVolumeFiles('SimulatedVolumeFiles', () =>
  Promise.resolve(new SimulatedVolumeFiles(new SeededRandom(1))));

// Below: only what the folder of a machine adds to the common promises.

it('NodeVolumeFiles keeps its files for the owner alone', async () => {
  const root = folder();
  const files = new NodeVolumeFiles(root);
  await files.prepare();
  await (await files.open('v00000001.1.hv', 'create')).close();
  assert.equal((await stat(join(root, 'v00000001.1.hv'))).mode & 0o777, 0o600);
  assert.equal((await stat(root)).mode & 0o777, 0o700);
});

it('NodeVolumeFiles lets go of every file that is closed', {
  skip: existsSync('/proc/self/fd') ? false : 'only Linux shows the open files of a process',
}, async () => {
  const files = new NodeVolumeFiles(folder());
  await files.prepare();
  const before = readdirSync('/proc/self/fd').length;
  for (let number = 1; number <= 20; number++) {
    const file = await files.open(`v0000000${number}.1.hv`, 'create');
    await file.writeDurably([patterned(300_000)], 0); // Large writes open a second descriptor.
    await file.close();
  }
  assert.equal(readdirSync('/proc/self/fd').length, before);
});

it('NodeVolumeFiles writes and reads beyond 4 GiB', async () => {
  const files = new NodeVolumeFiles(folder());
  await files.prepare();
  const file = await files.open('v00000001.1.hv', 'create');
  const position = 5 * 1024 ** 3 + 3;
  await file.write([patterned(100)], position);
  const back = Buffer.alloc(100);
  assert.equal(await file.read(back, position), 100);
  assert.ok(back.equals(patterned(100)));
  assert.equal(await file.size(), position + 100);
  await file.close();
});
