/** Holds the driver to what pipeline.ts relies on; and what is built on it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { serverFault } from './faults.ts';
import { GatheredQuestions } from './gathered-questions.ts';
import { namedSql } from './named-sql.ts';
import { Session } from './session.ts';
import { CuttingProxy, ScratchServer, numbersTo } from './testing/index.ts';

const ASK = namedSql('askGathered', 'SELECT ?', { owner: 'test', tables: new Map() }).text;
const FAIL = namedSql('failGathered', 'SELECT nothing FROM t WHERE id = ?',
  { owner: 'test', tables: new Map() }).text;

let server: ScratchServer;
let session: Session;
before(async () => {
  server = await ScratchServer.start();
  const { database } = await server.makeDatabase();
  session = await Session.open(server.addressOf(database), 'schema');
  await session.run('CREATE TABLE t (id INT PRIMARY KEY, text LONGTEXT) ENGINE = InnoDB');
});
after(async () => {
  await session?.end();
  await server?.stop();
});

const select = (n: number) => ({ text: `SELECT ${n}, ?`, values: [n] });

describe('A pipeline', () => {
  it('answers each of its statements, in their order, the first time and again', async () => {
    const steps = [
      select(1), { text: 'INSERT INTO t VALUES (?, ?), (?, ?)', values: [1, 'a', 2, null] },
      { text: 'SELECT id, text FROM t ORDER BY id', values: [] }, select(1),
      { text: 'UPDATE t SET text = ? WHERE id <= ?', values: ['b', 2] },
    ];
    for (let time = 0; time < 2; time += 1) {
      const answers = await session.executeAll(steps);
      assert.deepEqual(answers.map(({ rows }) => rows),
        [[[1, 1]], [], [[1, 'a'], [2, null]], [[1, 1]], []]);
      assert.deepEqual(answers.map(({ changes }) => changes), [0, 2, 0, 0, 2]);
      await session.run('ROLLBACK');
    }
  });

  it('costs one round trip once its statements are prepared', async () => {
    const proxy = await CuttingProxy.start(server.port);
    const other = await Session.open(server.addressOf('', proxy.port), 'schema');
    const steps = Array.from({ length: 40 }, (_, n) => select(n));
    await other.executeAll(steps);
    const before = proxy.roundTripCount;
    await other.executeAll(steps);
    assert.equal(proxy.roundTripCount - before, 1);
    await other.end();
    await proxy.stop();
  });

  it('tells of each that fails, and does those behind it', async () => {
    const settled = await session.executeEach([
      { text: 'INSERT INTO t VALUES (?, ?)', values: [5, 'x'] },
      { text: 'INSERT INTO t VALUES (?, ?)', values: [5, 'x'] },
      { text: 'SELEC ?', values: [1] }, select(3),
    ]);
    assert.deepEqual(settled.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    const [, twice, wrong] = settled.map((each) =>
      (each.status === 'rejected' ? serverFault(each.reason)?.errno : 0));
    assert.deepEqual([twice, wrong], [1062, 1064]);
    await session.run('ROLLBACK');
    assert.deepEqual((await session.executeAll([select(7)]))[0]?.rows, [[7, 7]]);
  });

  it('takes answers and values of many packets', async () => {
    const long = 'long'.repeat(500_000);
    await session.executeAll([
      { text: 'INSERT INTO t VALUES (?, ?)', values: [8, long] }, select(1),
    ]);
    const many = `SELECT seq, ? FROM ${numbersTo(20_000)}`;
    const [text, rows, last] = await session.executeAll([
      { text: 'SELECT text FROM t WHERE id = ?', values: [8] },
      { text: many, values: ['y'.repeat(20)] }, select(2),
    ]);
    assert.equal(text?.rows[0]?.[0], long);
    assert.equal(rows?.rows.length, 20_000);
    assert.deepEqual(last?.rows, [[2, 2]]);
    await session.run('ROLLBACK');
  });

  it('fails as a whole when the connection breaks', async () => {
    const other = await Session.open(server.addressOf(''), 'schema');
    const [{ rows: [[id] = []] } = { rows: [] }]
      = await other.executeAll([{ text: 'SELECT CONNECTION_ID()', values: [] }]);
    const work = other.executeEach([select(1), { text: 'SELECT SLEEP(?)', values: [60] },
      select(2)]);
    await other.executeEach([]); // What is asked is on its way.
    await server.query(`KILL ${String(id)}`);
    const [, slept, behind] = await work;
    assert.equal(slept?.status, 'rejected');
    assert.equal(behind?.status, 'rejected');
    other.destroy();
  });
});

describe('Gathered questions', () => {
  it('go together when they are asked together, and the same is asked once', async () => {
    const questions = new GatheredQuestions(server.addressOf(''), {
      op: 'test', database: 'database',
    });
    const ask = async (n: number): Promise<unknown> =>
      (await questions.ask(String(n), { text: ASK, values: [n] })).rows[0]?.[0];
    assert.deepEqual(await Promise.all([1, 2, 2, 3].map(ask)), [1, 2, 2, 3]);
    assert.equal(questions.roundTripCount, 1);
    const [fine, wrong] = await Promise.allSettled([
      ask(4), questions.ask('wrong', { text: FAIL, values: [1] })]);
    assert.deepEqual([fine.status, wrong.status], ['fulfilled', 'rejected']);
    assert.equal(await ask(5), 5);
    await questions.close();
    await assert.rejects(ask(6), /being closed/);
  });
});
