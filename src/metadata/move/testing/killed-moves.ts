/** The process dies in every state of a tenant's move, there and back, while others write to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { DEFAULT_TENANT } from '../../../base/ids.ts';
import { Hand } from '../../conformance/hand.ts';
import { assertConsistent } from '../../conformance/replay.ts';
import { SqliteMetadataStore } from '../../stores/sqlite/sqlite-metadata-store.ts';
import { rowsOf } from '../tenant-rows.conformance.ts';
import type { RowsStore } from '../tenant-rows.conformance.ts';
import { TEST_PACE } from './moving-tenant.ts';

const PROGRAM = fileURLToPath(new URL('./moving-program.ts', import.meta.url));

const OVER = ['freeze', 'frozen', 'drained', 'verified', 'flip', 'flipped', 'unfreeze', 'unfrozen',
  'reverse'];

/** In the order in which they are come to: a move that is given up, one there, and its way back. */
export const ALL_FAILPOINTS: readonly string[] = [
  'abort', 'aborted', 'plan', 'uncaptured', 'captured', 'copy', 'tail', 'compare', ...OVER,
  'tail', 'compare', ...OVER, 'clean', 'uncaptured', 'done',
];

export interface KilledMoves {
  /** Where the two shards and the notes lie. */
  readonly folder: string;
  readonly failpoints: readonly string[];
  /** The second shard, as the program is told of it; '' is a file in the folder. */
  readonly away: () => Promise<string>;
  readonly openAway: () => Promise<RowsStore>;
}

interface Told {
  readonly acknowledged: Set<string>;
  /** How long writers had waited when the directory was told, of each flip. */
  readonly decidedMs: number[];
  refusals: number;
}

export function testKilledMoves(
  name: string, { folder, failpoints, away, openAway }: KilledMoves,
): void {
  it(`${name} that is killed in every state loses and doubles nothing`, async (t) => {
    const told: Told = { acknowledged: new Set(), decidedMs: [], refusals: 0 };
    const far = await away();
    const run = (failpoint: string, number: number): string | null => {
      const { signal, stdout, stderr, status } = spawnSync(process.execPath,
        [PROGRAM, folder, failpoint, String(number), far], { encoding: 'utf8', timeout: 120_000 });
      hear(stdout, told);
      assert.ok(signal === 'SIGKILL' || status === 0, `${failpoint}: ${stderr}`);
      return signal;
    };
    for (const [number, failpoint] of failpoints.entries()) {
      assert.equal(run(failpoint, number), 'SIGKILL', `${failpoint} was reached`);
    }
    assert.equal(run('', failpoints.length), null);
    const { acknowledged, decidedMs, refusals } = told;
    const longestMs = Math.max(...decidedMs);
    t.diagnostic(`${failpoints.length} kills, ${acknowledged.size} files acknowledged, `
      + `${refusals} refusals waited out, ${decidedMs.length} flips heard of, the directory told `
      + `within ${longestMs} ms of a freeze`);
    assert.ok(refusals > 0, 'writers met a freeze, and got through after it');
    assert.ok(longestMs <= TEST_PACE.freezeMaxMs, 'what takes longer is given up');
    await check(acknowledged, { folder, openAway });
  });
}

function hear(stdout: string, told: Told): void {
  for (const [, name = ''] of stdout.matchAll(/^\+(.*)$/gm)) told.acknowledged.add(name);
  for (const [, ms] of stdout.matchAll(/^=decided (\d+)$/gm)) told.decidedMs.push(Number(ms));
  told.refusals += [...stdout.matchAll(/^\?$/gm)].length;
}

async function check(
  acknowledged: ReadonlySet<string>, { folder, openAway }: Pick<KilledMoves, 'folder' | 'openAway'>,
): Promise<void> {
  const home = await SqliteMetadataStore.open({
    file: join(folder, '0.db'), create: false, shard: 0,
  });
  const away = await openAway();
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
