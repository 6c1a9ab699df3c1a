import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { isThere } from './file-presence.ts';

it('Only what the system says is missing counts as missing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-there-'));
  try {
    await writeFile(join(folder, 'file'), '');
    assert.equal(await isThere(folder), true);
    assert.equal(await isThere(join(folder, 'file')), true);
    assert.equal(await isThere(join(folder, 'other')), false);
    await assert.rejects(isThere(join(folder, 'file', 'below')), { code: 'ENOTDIR' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
