import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { systemRandom } from '../../platform/index.ts';
import { makeClusterKey, readClusterKey } from './cluster-key.ts';

const clusterId = '0b0e7ae4-0a09-4f6b-9b2b-6a1c4f2d9e10';
let root = '';
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-key-'));
});
after(async () => {
  await rm(root, { recursive: true });
});

describe('The cluster key', () => {
  it('is made once, for its owner alone, and read back', async () => {
    const path = join(root, 'made.key');
    assert.equal(await makeClusterKey(path, { clusterId, random: systemRandom }), true);
    const made = await readClusterKey(path);
    assert.deepEqual([made.clusterId, made.key.length], [clusterId, 32]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await makeClusterKey(path, { clusterId, random: systemRandom }), false);
    assert.deepEqual(await readClusterKey(path), made, 'the first one stays');
    assert.deepEqual(await readdir(root), ['made.key'], 'no draft is left');
  });

  it('is refused when absent, open to others, newer or damaged, each with the reason', async () => {
    const path = join(root, 'bad.key');
    await assert.rejects(readClusterKey(path), { kind: 'not-found', message: /cluster key' on/ });
    await makeClusterKey(path, { clusterId, random: systemRandom });
    const whole = await readFile(path, 'utf8');
    await chmod(path, 0o644);
    await assert.rejects(readClusterKey(path), { kind: 'invalid', message: /chmod 600/ });
    await chmod(path, 0o600);
    await writeFile(path, whole.replace('key 1', 'key 2'));
    await assert.rejects(readClusterKey(path), { kind: 'conflict', message: /newer/ });
    const shortKey = whole.replace(/.{20}\n$/, '\n');
    for (const text of ['', 'x', whole.slice(0, 30), shortKey, 'y'.repeat(5000)]) {
      await writeFile(path, text);
      await assert.rejects(readClusterKey(path), { kind: 'invalid', message: /damaged/ }, text);
    }
  });
});
