import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualClock, Metrics, openLog } from '../platform/index.ts';
import { DatabaseNodeWatch } from './database-node-watch.ts';

const SECOND_MS = 1_000;

describe('The database node in use', () => {
  let clock: ManualClock;
  let lines: string[];
  let metrics: Metrics;
  let place: number;
  let returnedAt: number;
  let watch: DatabaseNodeWatch;

  beforeEach(() => {
    clock = new ManualClock(0);
    lines = [];
    metrics = new Metrics();
    [place, returnedAt] = [0, 0];
    const nodes = {
      names: ['db1:3306', 'db2:3306', 'db3:3307'], place: () => place,
      returnedAt: () => returnedAt,
    };
    const { log } = openLog({ level: 'info', target: { write: (line) => void lines.push(line) } });
    watch = DatabaseNodeWatch.start({ clock, log, metrics, list: () => [nodes] });
  });

  /** Since it was last asked. */
  const told = (): unknown[] => lines.splice(0).map((line) => {
    const { level, from, to } = JSON.parse(line) as Record<string, unknown>;
    return [level, from, to];
  });
  const metric = async () => /database_node_place\{[^}]*\} (\d)/.exec(await metrics.text())?.[1];

  it('is told once when it is left, and once when it is used again', async () => {
    clock.advance(10 * SECOND_MS);
    assert.deepEqual([told(), await metric()], [[], '1']);
    place = 1;
    for (let look = 0; look < 10; look += 1) clock.advance(SECOND_MS);
    assert.deepEqual([told(), await metric()], [[['warn', 'db1:3306', 'db2:3306']], '2']);
    [place, returnedAt] = [0, 4_711];
    for (let look = 0; look < 10; look += 1) clock.advance(SECOND_MS);
    assert.deepEqual([told(), await metric()], [[['info', 'db2:3306', 'db1:3306']], '1']);
  });

  it('is left with a warning also when the next one is the first', () => {
    place = 2;
    clock.advance(SECOND_MS);
    place = 0;
    clock.advance(SECOND_MS);
    assert.deepEqual(told(),
      [['warn', 'db1:3306', 'db3:3307'], ['warn', 'db3:3307', 'db1:3306']]);
  });

  it('is told with a line for each look at most, and not after the end', async () => {
    for (let change = 0; change < 1_000; change += 1) {
      place = change % 3;
      if (change % 100 === 0) clock.advance(SECOND_MS);
    }
    assert.ok(told().length <= 10);
    await watch.stop();
    place = 1;
    clock.advance(SECOND_MS);
    assert.deepEqual(told(), []);
  });
});
