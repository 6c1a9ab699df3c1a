import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { isKind } from '../../../../../base/errors.ts';
import { ANSWER, keyed, testIdempotencyStore } from '../../idempotency-store.conformance.ts';
import { SqliteIdempotencyStore } from './sqlite-idempotency-store.ts';

let folder = '';
let count = 0;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-api-'));
});
after(() => rm(folder, { recursive: true }));

function newFile(): string {
  count += 1;
  return join(folder, `api-${count}.db`);
}

testIdempotencyStore('SqliteIdempotencyStore', () =>
  SqliteIdempotencyStore.open({ file: newFile() }));

it('SqliteIdempotencyStore keeps answers over a restart, and cannot tell how the rest ended',
  async () => {
    const file = newFile();
    const store = await SqliteIdempotencyStore.open({ file });
    await store.begin(keyed('done'), 1);
    await store.finish(keyed('done'), ANSWER);
    await store.begin(keyed('open'), 1);
    await store.close();
    const again = await SqliteIdempotencyStore.open({ file });
    assert.deepEqual(await again.begin(keyed('done'), 2), { kind: 'done', answer: ANSWER });
    assert.deepEqual(await again.begin(keyed('open'), 2), { kind: 'unknown' });
    await again.close();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

it('SqliteIdempotencyStore refuses a file that is none of its own', async () => {
  const file = newFile();
  await writeFile(file, 'this is no database, and long enough to be seen as none'.repeat(40));
  await assert.rejects(SqliteIdempotencyStore.open({ file }), (error) => isKind(error, 'corrupt'));
});
