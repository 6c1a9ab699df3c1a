import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../clock.ts';
import { ChangeMarks } from './change-marks.ts';
import { Session } from './session.ts';
import type { ServerAddress } from './session.ts';
import { ScratchServer } from './testing/index.ts';

const TRIES = 300;

let server: ScratchServer;
let address: ServerAddress;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

describe('ChangeMarks', { timeout: 120_000 }, () => {
  let marks: ChangeMarks;
  beforeEach(async () => {
    address = await server.makeDatabase();
    for (const table of ['identity_turn', 'writer_turn']) {
      await tell(`CREATE TABLE ${table} (id SMALLINT PRIMARY KEY, turn BIGINT NOT NULL)`);
      await tell(`INSERT INTO ${table} VALUES (1, 1)`);
    }
    await tell('CREATE TABLE directory (name VARCHAR(20) PRIMARY KEY, value BIGINT NOT NULL)');
    await tell('INSERT INTO directory VALUES (\'rev\', 7)');
    marks = new ChangeMarks({
      address, clock: systemClock, words: { op: 'test', database: 'database' },
    });
  });
  afterEach(() => marks.close());

  const tell = (text: string): Promise<unknown[][]> => server.query(text, address.database);
  const raise = (table: string): Promise<unknown> =>
    tell(`UPDATE ${table} SET turn = turn + 1 WHERE id = 1`);

  it('tells both numbers to all who come together with one question', async () => {
    await marks.ask();
    const before = marks.questionCount;
    await raise('identity_turn');
    const all = await Promise.all(Array.from({ length: 200 }, () => marks.ask()));
    assert.equal(marks.questionCount - before, 1);
    for (const { turns } of all) assert.deepEqual(turns, { identity_turn: 2, writer_turn: 1 });
  });

  it('tells whoever comes after a change of that change, whatever is under way', async () => {
    let isOver = false;
    const others = Array.from({ length: 8 }, async () => {
      while (!isOver) await marks.ask();
    });
    for (let tried = 0; tried < TRIES; tried += 1) {
      await raise('writer_turn');
      const cameMs = systemClock.monotonic();
      assert.ok((await marks.ask()).turns.writer_turn >= tried + 2);
      const turn = marks.stateAfter('writer_turn', cameMs)?.turn;
      assert.ok(turn === undefined || turn >= tried + 2, `${turn} after ${tried + 1} changes`);
    }
    isOver = true;
    await Promise.all(others);
  });

  it('knows a state only for those who came before it was asked for', async () => {
    const cameMs = systemClock.monotonic();
    assert.equal(marks.stateAfter('writer_turn', cameMs), undefined, 'nothing was asked');
    const { askedMs } = await marks.ask();
    assert.equal(marks.stateAfter('writer_turn', cameMs)?.turn, 1);
    assert.equal(marks.stateAfter('identity_turn', cameMs)?.turn, 1);
    assert.equal(marks.stateAfter('writer_turn', askedMs), undefined);
    assert.equal(marks.stateAfter('writer_turn', systemClock.monotonic()), undefined);
  });

  it('takes numbers of two connections for two states', async () => {
    const cameMs = systemClock.monotonic();
    await marks.ask();
    const first = marks.stateAfter('writer_turn', cameMs);
    await marks.ask();
    const second = marks.stateAfter('writer_turn', cameMs);
    assert.equal(second?.connection, first?.connection);
    const ids = await tell(`SELECT id FROM information_schema.processlist
      WHERE db = '${address.database}' AND command = 'Sleep'`);
    for (const [id] of ids) await tell(`KILL CONNECTION ${id}`);
    await marks.ask();
    const third = marks.stateAfter('writer_turn', cameMs);
    assert.equal(third?.turn, first?.turn);
    assert.notEqual(third?.connection, first?.connection);
  });

  it('lets nobody wait long for the beginning of a question, and remembers one line alone',
    async () => {
      const { connection } = await marks.ask();
      const before = marks.questionCount;
      const holder = await Session.open(address, 'schema');
      await holder.run('LOCK TABLES writer_turn WRITE');
      const first = marks.ask();
      await untilWaiting('Waiting for table metadata lock');
      const cameMs = systemClock.monotonic();
      const second = marks.ask();
      while (marks.questionCount - before < 2) await pause(10); // Both are under way.
      const many = await asksOverTime(40);
      assert.ok(marks.questionCount - before <= 8, 'a few at most, however long it takes');
      await holder.run('UNLOCK TABLES');
      await holder.end();
      assert.equal((await first).connection, connection);
      assert.notEqual((await second).connection, connection);
      await Promise.all(many);
      // The last of them may have gone over the one line again.
      const seen = marks.stateAfter('writer_turn', cameMs);
      assert.ok(seen === undefined || seen.connection === connection);
    });

  async function asksOverTime(count: number): Promise<Promise<unknown>[]> {
    const asked: Promise<unknown>[] = [];
    for (let at = 0; at < count; at += 1) {
      asked.push(marks.ask());
      await pause(8);
    }
    return asked;
  }

  async function untilWaiting(state: string): Promise<void> {
    for (;;) {
      const found = await server.query(
        `SELECT 1 FROM information_schema.processlist WHERE state = '${state}'`);
      if (found.length > 0) return;
      await pause(10);
    }
  }

  it('tells nobody anything before who is behind with the directory has caught up', async () => {
    const behind = Promise.withResolvers<void>();
    const told: number[] = [];
    marks.catchUpFirst((rev) => {
      told.push(rev);
      return rev > 7 ? behind.promise : undefined;
    });
    assert.equal((await marks.ask()).directoryRev, 7);
    await tell('UPDATE directory SET value = 8');
    let isTold = false;
    const asked = marks.ask().then(({ directoryRev }) => {
      isTold = true;
      return directoryRev;
    });
    while (told.length < 2) await pause(5);
    const next = marks.ask(); // Waits for no one but itself.
    while (told.length < 3) await pause(5);
    assert.equal(isTold, false);
    behind.resolve();
    assert.deepEqual([await asked, (await next).directoryRev, ...told], [8, 8, 7, 8, 8]);
    const failure = new Error('it is away');
    marks.catchUpFirst(() => Promise.reject(failure));
    await assert.rejects(marks.ask(), failure);
  });

  it('takes what is not there for another number each time', async () => {
    await tell('DELETE FROM writer_turn');
    const { turns } = await marks.ask();
    assert.deepEqual(turns, { identity_turn: NaN, writer_turn: NaN });
  });
});

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}
