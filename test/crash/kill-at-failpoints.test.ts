/** The process dies at every place in the source that was marked for it. */
import { after, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../support/server.ts';
import { settings } from '../support/settings.ts';
import { CrashLane, allLanes } from './crash-lane.ts';

const CYCLES = Math.ceil(settings.crashCycles / 2);
/** The first time, some later time, and in the thick of it. */
const OCCURRENCES = [1, 2, 5, 11];

/** Places that uploads and the like never come to: other tests kill there. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'files.restore-slice', 'files.restore-sharing', 'files.keep-slice', 'files.transfer-gathering',
  'files.transfer-gathered', 'files.transfer-crossed', 'metadata.before-migrated',
  'identity.before-migrated', 'app.move-copied', 'app.move-whole', 'app.move-noted',
  'metadata.move-plan', 'metadata.move-frozen', 'metadata.move-drained', 'metadata.move-verified',
  'metadata.move-flipped', 'metadata.move-unfrozen', 'schema.after-statement',
  'app.database-compared', 'app.database-file', 'app.database-flipped', 'app.database-marked',
  'schema.before-step', 'schema.before-statement', 'app.database-owned', 'app.database-fenced',
  'metadata.move-captured', 'metadata.move-uncaptured',
]);

const COMMENT = /^\s*(?:\/\*\*|\*|\/\/).*$/gm;
const MARK = /\bfailpoint\('([a-z0-9-]+\.[a-z0-9-]+)'\)/g;

/** Marked as `failpoint('module.place')`. */
function markedPlaces(): string[] {
  const source = join(REPOSITORY, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !/testing/.test(name));
  const names = files.flatMap((name) => {
    const code = readFileSync(join(source, name), 'utf8').replaceAll(COMMENT, '');
    return [...code.matchAll(MARK)].map(([, found]) => found);
  });
  const known = names.filter((name) => name !== undefined);
  return [...new Set(known)].filter((name) => !ELSEWHERE.has(name)).sort();
}

describe('kill -9 at marked places', { timeout: 1_700_000 }, () => {
  const lanes: CrashLane[] = [];
  after(async () => {
    for (const lane of lanes) await lane.close();
  });

  it('loses nothing acknowledged and leaves nothing half, at each of them', async (test) => {
    const places = markedPlaces();
    assert.ok(places.length > 0, 'no place is marked');
    const specs = OCCURRENCES.flatMap((nth) => places.map((place) => `${place}:${nth}`));
    const struck = new Map(places.map((place) => [place, 0]));
    let next = 0;
    const run = async (seed: number): Promise<void> => {
      const lane = await CrashLane.open(seed);
      lanes.push(lane);
      let before = 'no death';
      while (next < CYCLES) {
        const spec = specs[next % specs.length] ?? '';
        next += 1;
        try {
          const [place = ''] = spec.split(':');
          if (await lane.killAtFailpoint(spec)) struck.set(place, (struck.get(place) ?? 0) + 1);
        } catch (error) {
          const where = `${before}, then ${spec}, seed ${seed}, cycle ${lane.cycles}`;
          const said = `${where}: ${(error as Error).message}\n${lane.tail()}`;
          next = CYCLES; // The other lane ends soon.
          throw new Error(said, { cause: error });
        }
        before = spec;
      }
      await lane.finish();
    };
    const seed = settings.crashSeed;
    await allLanes([run(seed + 2_000), run(seed + 3_000)]);
    for (const [place, count] of struck) {
      if (count > 0) continue;
      const isStruck = await CrashLane.killOnNewData(`${place}:1`, seed + 4_000);
      struck.set(place, isStruck ? 1 : 0);
    }
    for (const [place, count] of struck) test.diagnostic(`${place}: struck ${count} times`);
    const never = [...struck].filter(([, count]) => count === 0).map(([place]) => place);
    assert.deepEqual(never, [], 'places that this load never reached prove nothing');
  });
});
