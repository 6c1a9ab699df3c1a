import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../base/errors.ts';
import { Metrics, asRequest, statementTally } from '../platform/index.ts';
import type { OperationContext, PlainRecord } from '../operations/index.ts';
import { addDatabaseMetrics, databaseOperations } from './database-figures.ts';

const context = { progress: () => undefined } as unknown as OperationContext;

async function top(by: string, limit = 3): Promise<PlainRecord[]> {
  const act = databaseOperations({ isServing: true })['db.top'];
  assert.ok(act !== undefined);
  const { statements } = await act({ by, limit }, context);
  return statements as PlainRecord[];
}

describe('The figures of statements', () => {
  const slow = statementTally.countOf('tests.slow', '11111111');
  const often = statementTally.countOf('tests.often', '22222222');
  const wide = statementTally.countOf('tests.wide', '33333333');
  for (let n = 0; n < 1_000; n += 1) often.note(30, 1);
  asRequest('the-slow-one', () => slow.note(9_000, 1));
  wide.note(1, 1_000_000);

  it('come in the order that is asked for, with the request of the slowest', async () => {
    assert.equal((await top('total'))[0]?.['name'], 'tests.often');
    assert.equal((await top('rows'))[0]?.['name'], 'tests.wide');
    const [first, ...others] = await top('p99', 1);
    assert.deepEqual([first?.['name'], first?.['slowestRequest'], others],
      ['tests.slow', 'the-slow-one', []]);
  });

  it('are refused in another order, and where nothing was counted', async () => {
    await assert.rejects(top('luck'), (error) => isKind(error, 'invalid'));
    await assert.rejects(top('total', 0), (error) => isKind(error, 'invalid'));
    const alone = databaseOperations({ isServing: false })['db.top'];
    await assert.rejects(async () => alone?.({ by: 'total', limit: 1 }, context),
      (error) => isKind(error, 'precondition'));
  });

  it('are among the metrics, by name and fingerprint', async () => {
    const metrics = new Metrics();
    addDatabaseMetrics(metrics);
    const labels = 'statement="tests.slow",fingerprint="11111111"';
    const text = await metrics.text();
    assert.ok(text.includes(`holdfast_db_statement_seconds_count{${labels}} 1\n`));
    assert.ok(text.includes(`holdfast_db_statement_seconds_sum{${labels}} 9\n`));
  });
});
