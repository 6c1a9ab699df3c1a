/** The process dies while a database is brought to the present format. */
import { spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { it } from 'node:test';
import assert from 'node:assert/strict';
import { readSqliteHeader } from '../../src/platform/index.ts';
import { SqliteIdentityStore }
  from '../../src/identity/stores/sqlite/sqlite-identity-store.ts';
import { SqliteMetadataStore }
  from '../../src/metadata/stores/sqlite/sqlite-metadata-store.ts';
import { REPOSITORY } from '../support/server.ts';
import { scratchFolder } from '../support/scratch.ts';

const PROGRAM = fileURLToPath(new URL('./migration-program.ts', import.meta.url));

/** Killed twice: each time the file stays as it was. */
function killed(which: 'identity' | 'metadata', format: number): string {
  const file = join(scratchFolder('migration'), `${which}.db`);
  copyFileSync(join(REPOSITORY, 'test', 'fixtures', which, `format-${format}.db`), file);
  for (let kill = 0; kill < 2; kill += 1) {
    const { signal, stderr } = spawnSync(process.execPath, [PROGRAM, which, file], {
      encoding: 'utf8', timeout: 60_000,
    });
    assert.equal(signal, 'SIGKILL', stderr);
    assert.equal(readSqliteHeader(file)?.userVersion, format);
  }
  return file;
}

it('a migration that was killed leaves the old format, and the next start does it', async () => {
  const file = killed('metadata', 1);
  const store = await SqliteMetadataStore.open({ file, create: false });
  const [space] = await store.listSpaces(1);
  assert.ok(space !== undefined);
  assert.deepEqual([space.rev, space.usedBytes, space.kind], [11, 30, 'personal']);
  await store.close();
  assert.equal(readSqliteHeader(file)?.userVersion, 4);
});

it('so does one of the accounts, and nobody is lost', async () => {
  const file = killed('identity', 2);
  const store = await SqliteIdentityStore.open({ file, create: false });
  assert.deepEqual((await store.listUsers(9)).map(({ id }) => id), ['alice', 'bob', 'cleo']);
  assert.deepEqual((await store.listTenants()).map(({ id }) => id), ['default']);
  await store.close();
  assert.equal(readSqliteHeader(file)?.userVersion, 5);
});
