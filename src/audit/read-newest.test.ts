import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { AuditLog } from './audit-log.ts';
import { readNewestAudit } from './read-newest.ts';
import type { NewestWish } from './read-newest.ts';

const root = await mkdtemp(join(tmpdir(), 'holdfast-newest-'));
after(() => rm(root, { recursive: true }));

const ALL: NewestWish = { before: undefined, limit: 100, user: undefined, act: undefined };

it('the newest entries of a log come page by page, and each once', async () => {
  const folder = join(root, 'log');
  const log = await AuditLog.open({ folder, tenant: 'default', now: () => 0 });
  for (let at = 1; at <= 25; at += 1) {
    await log.append({ at, act: at % 2 === 0 ? 'create' : 'delete', user: `user ${at % 5}` });
  }
  await log.close();
  const all = (await readNewestAudit(folder, ALL)).entries.map(({ seq }) => seq);
  assert.deepEqual(all, Array.from({ length: 25 }, (_, at) => 25 - at));
  for (const limit of [1, 4, 5, 24, 25, 26]) {
    for (const filter of [{}, { act: 'create' }, { user: 'user 3' }]) {
      const whole = (await readNewestAudit(folder, { ...ALL, ...filter })).entries;
      const seen: number[] = [];
      let before: number | undefined;
      for (let pages = 0; pages < 40; pages += 1) {
        const part = await readNewestAudit(folder, { ...ALL, ...filter, limit, before });
        assert.ok(part.entries.length <= limit);
        seen.push(...part.entries.map(({ seq }) => seq));
        before = part.next;
        if (before === undefined) break;
      }
      assert.equal(before, undefined, 'it comes to an end');
      assert.deepEqual(seen, whole.map(({ seq }) => seq));
    }
  }
  const times = { ...ALL, sinceMs: 5, untilMs: 9 };
  assert.deepEqual((await readNewestAudit(folder, times)).entries.map(({ at }) => at),
    [9, 8, 7, 6, 5]);
  const none = await readNewestAudit(join(root, 'none'), ALL);
  assert.deepEqual(none, { entries: [], next: undefined });
});
