/** The process dies while the metadata database is brought to the present format. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'node:test';
import assert from 'node:assert/strict';
import { readSqliteHeader } from '../../src/platform/index.ts';
import { SqliteMetadataStore }
  from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { REPOSITORY } from '../support/server.ts';
import { scratchFolder } from '../support/scratch.ts';

const PROGRAM = fileURLToPath(new URL('./migration-program.ts', import.meta.url));

it('a migration that was killed leaves the old format, and the next start does it', async () => {
  const file = join(scratchFolder('migration'), 'metadata.db');
  copyFileSync(join(REPOSITORY, 'test', 'fixtures', 'metadata', 'format-1.db'), file);
  for (let kill = 0; kill < 3; kill += 1) {
    const { signal, stderr } = spawnSync(process.execPath, [PROGRAM, file], {
      encoding: 'utf8', timeout: 30_000,
    });
    assert.equal(signal, 'SIGKILL', stderr);
    assert.equal(readSqliteHeader(file)?.userVersion, 1);
  }
  const store = await SqliteMetadataStore.open({ file, create: false });
  const [space] = await store.listSpaces(1);
  assert.ok(space !== undefined);
  assert.deepEqual([space.rev, space.usedBytes, space.kind], [11, 30, 'personal']);
  await store.close();
  assert.equal(readSqliteHeader(file)?.userVersion, 3);
});
