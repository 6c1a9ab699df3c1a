import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import {
  ManualClock, Metrics, RetryBudgets, openLog, parseDatabaseUrl,
} from '../platform/index.ts';
import { addressOf } from './database-place.ts';
import { DatabaseRetryWatch, databaseRetries } from './database-retries.ts';

const SECOND_MS = 1_000;
const MINUTE_S = 60;

describe('The retries of a process', () => {
  let clock: ManualClock;
  let lines: string[];
  let metrics: Metrics;
  let budgets: RetryBudgets;
  let watch: DatabaseRetryWatch;

  beforeEach(() => {
    clock = new ManualClock(0);
    lines = [];
    metrics = new Metrics();
    budgets = new RetryBudgets();
    const { log } = openLog({ level: 'info', target: { write: (line) => void lines.push(line) } });
    watch = DatabaseRetryWatch.start({ clock, log, metrics, budgets });
  });

  const pass = (seconds: number): void => {
    for (let second = 0; second < seconds; second += 1) clock.advance(SECOND_MS);
  };
  /** Since it was last asked. */
  const told = (): unknown[] => lines.splice(0).map((line) => {
    const { level, server, slowed, givenUp } = JSON.parse(line) as Record<string, unknown>;
    return [level, server, slowed, givenUp];
  });

  it('are told in the log once a minute at most, while work has to wait for them', () => {
    const [first, second] = [budgets.of('db1:3306'), budgets.of('db2:3306')];
    first.begin();
    first.take('one');
    pass(MINUTE_S);
    assert.deepEqual(told(), [], 'nobody has had to wait');
    for (let at = 0; at < 90; at += 1) {
      first.noteSlowed();
      if (at % 10 === 0) first.noteGivenUp();
      pass(1);
    }
    assert.deepEqual(told(), [['warn', 'db1:3306', 1, 1], ['warn', 'db1:3306', 60, 6]]);
    second.noteSlowed();
    pass(MINUTE_S);
    assert.deepEqual(told(), [['warn', 'db2:3306', 1, 0], ['warn', 'db1:3306', 29, 2]]);
    pass(10 * MINUTE_S);
    watch.stop();
    first.noteSlowed();
    pass(10 * MINUTE_S);
    assert.deepEqual(told(), []);
  });

  it('are in the metrics', async () => {
    const budget = budgets.of('db1:3306');
    for (let at = 0; at < 7; at += 1) budget.begin();
    budget.take('one');
    budget.take('one');
    budget.noteSlowed();
    const text = await metrics.text();
    const valueOf = (name: string): string | undefined => text.split('\n')
      .find((line) => line.startsWith(`holdfast_database_${name}_total{server="db1:3306"} `))
      ?.split(' ')[1];
    assert.deepEqual(['first_tries', 'retries', 'retries_slowed', 'retries_given_up'].map(valueOf),
      ['7', '2', '1', '0']);
    assert.match(text, /^# TYPE holdfast_database_retries_total counter$/m);
  });

  it('are those of a server, whoever asks for its address and whichever database is meant',
    async () => {
      const retriesOf = async (url: string) => {
        const parsed = parseDatabaseUrl(url);
        assert.ok(parsed !== undefined);
        return (await addressOf({
          url: parsed, passwordPath: undefined, tlsCaPath: undefined, isUnencrypted: true,
          schemaUser: undefined, schemaPasswordPath: undefined,
        })).retries;
      };
      const first = await retriesOf('mariadb://anna@db1.example.org/metadata');
      assert.equal(first, databaseRetries.of('db1.example.org:3306').shared);
      const cluster = 'mariadb://ben@db1.example.org:3306,db2.example.org/two';
      assert.equal(await retriesOf(cluster), first);
      assert.notEqual(await retriesOf('mariadb://anna@db2.example.org/metadata'), first);
    });
});
