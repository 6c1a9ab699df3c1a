import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { parseTenantId } from '../../../../base/ids.ts';
import { refused } from '../../../conformance/hand.ts';
import { testShardDirectory } from '../../shard-directory.conformance.ts';
import { SqliteShardDirectory } from './sqlite-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-directory-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let made = 0;

function fresh(): string {
  made += 1;
  return join(folder, `directory-${made}.db`);
}

testShardDirectory('SqliteShardDirectory', async () => new SqliteShardDirectory({ file: fresh() }));

it('SqliteShardDirectory makes its file with the first change, and finds it again', async () => {
  const file = fresh();
  const directory = new SqliteShardDirectory({ file });
  assert.equal((await directory.read()).shards.length, 1);
  assert.ok(!existsSync(file), 'nothing was changed yet');
  const there = await directory.place(parseTenantId('acme'), 0);
  const other = new SqliteShardDirectory({ file });
  assert.deepEqual((await other.read()).places, [there]);
  await directory.close();
  await other.close();
});

it('SqliteShardDirectory refuses a file that is not a directory, and leaves it alone', async () => {
  const file = fresh();
  writeFileSync(file, 'something else');
  const directory = new SqliteShardDirectory({ file });
  await refused(directory.read(), 'corrupt', 'directory-damaged');
  await refused(directory.place(parseTenantId('acme'), 0), 'corrupt', 'directory-damaged');
  await directory.close();
});
