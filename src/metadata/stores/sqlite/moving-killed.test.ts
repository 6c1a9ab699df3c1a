/** The process dies in every state of a tenant's move, while others write to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_TENANT } from '../../../base/ids.ts';
import { Hand } from '../../conformance/hand.ts';
import { assertConsistent } from '../../conformance/replay.ts';
import { rowsOf } from '../../move/tenant-rows.conformance.ts';
import { SqliteMetadataStore } from './sqlite-metadata-store.ts';

const PROGRAM = fileURLToPath(new URL('../../move/testing/moving-program.ts', import.meta.url));

/** In the order in which a move comes to them. Those with `:2` are the way back's. */
const FAILPOINTS = [
  'metadata.move-plan', 'metadata.move-copy', 'metadata.move-tail', 'metadata.move-compare',
  'metadata.move-freeze', 'metadata.move-frozen', 'metadata.move-drained',
  'metadata.move-verified', 'metadata.move-flip', 'metadata.move-flipped',
  'metadata.move-unfreeze', 'metadata.move-unfrozen', 'metadata.move-reverse',
  'metadata.move-frozen', 'metadata.move-flipped', 'metadata.move-unfrozen',
  'metadata.move-clean',
];

const folder = mkdtempSync(join(tmpdir(), 'holdfast-metadata-'));
after(() => rmSync(folder, { recursive: true, force: true }));

it('a tenant\'s move that is killed in every state loses and doubles nothing', (t) => {
  const acknowledged = new Set<string>();
  const run = (failpoint: string, number: number): string | null => {
    const { signal, stdout, stderr, status } = spawnSync(process.execPath,
      [PROGRAM, folder, failpoint, String(number)], { encoding: 'utf8', timeout: 120_000 });
    for (const [, name = ''] of stdout.matchAll(/^\+(.*)$/gm)) acknowledged.add(name);
    assert.ok(signal === 'SIGKILL' || status === 0, stderr);
    return signal;
  };
  for (const [number, failpoint] of FAILPOINTS.entries()) {
    assert.equal(run(failpoint, number), 'SIGKILL', `${failpoint} was reached`);
  }
  assert.equal(run('', FAILPOINTS.length), null);
  t.diagnostic(`${FAILPOINTS.length} kills, ${acknowledged.size} files acknowledged`);
  return check(acknowledged);
});

async function check(acknowledged: ReadonlySet<string>): Promise<void> {
  const open = (shard: number): Promise<SqliteMetadataStore> =>
    SqliteMetadataStore.open({ file: join(folder, `${shard}.db`), create: false, shard });
  const [home, away] = [await open(0), await open(1)];
  const hand = await Hand.on(home);
  const names = await hand.names(hand.root);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual([...acknowledged].filter((name) => !names.includes(name)), [], 'lost');
  const events = [];
  for (let rev = 0; ;) {
    const page = await home.listEvents(hand.space.id, rev, 2_000);
    if (page.length === 0) break;
    events.push(...page);
    rev = page.at(-1)?.rev ?? 0;
  }
  assert.deepEqual(events.map(({ rev }) => rev), events.map((_, at) => at + 1), 'no gap');
  const made = events.filter(({ kind }) => kind === 'create').length;
  assert.equal(made, names.length, 'each was made once');
  await assertConsistent(home, hand.space.id);
  for (const [table, rows] of await rowsOf(away.tenantRows, DEFAULT_TENANT)) {
    assert.deepEqual(rows, [], `${table} was cleaned up`);
  }
  await home.close();
  await away.close();
}
