/**
 * What a server in trouble is asked by a process under load. The trouble is made by a trigger that
 * answers each change with the words of a deadlock, as long as a row says so: the server is alive
 * and counts what it is asked.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { systemClock } from '../clock.ts';
import {
  RETRIES_AT_REST, RETRIES_PER_SECOND, RETRY_SHARE, RetryBudget,
} from '../retry-budget.ts';
import { LoneStatements } from './lone-statements.ts';
import { keysOf, namedSql } from './named-sql.ts';
import type { ServerAddress } from './session.ts';
import { ScratchServer } from './testing/index.ts';

const COLUMNS = 'id INT PRIMARY KEY, n INT NOT NULL';
const COUNT = namedSql('testsCount', 'UPDATE tally SET n = n + 1 WHERE id = ?', {
  owner: 'tests', tables: keysOf({ tally: COLUMNS }),
});
const ROWS = 64;
const EVERY_MS = 10;
const TROUBLE_MS = 4_000;
const AWAY_MS = 2_000;
const SECOND_MS = 1_000;

let server: ScratchServer;
before(async () => {
  server = await ScratchServer.start();
});
after(() => server.stop());

describe('A process under load', { timeout: 120_000 }, () => {
  let address: ServerAddress;
  let budget: RetryBudget;
  beforeEach(async () => {
    budget = RetryBudget.make();
    address = { ...await server.makeDatabase(), retries: budget.shared };
    await tell(`CREATE TABLE tally (${COLUMNS})`);
    const rows = Array.from({ length: ROWS }, (_, at) => `(${at + 1}, 0)`);
    await tell(`INSERT INTO tally VALUES ${rows.join(', ')}`);
    await tell('CREATE TABLE trouble (is_there INT NOT NULL)');
    await tell('INSERT INTO trouble VALUES (0)');
    await tell(`CREATE TRIGGER in_trouble BEFORE UPDATE ON tally FOR EACH ROW
      IF (SELECT is_there FROM trouble) = 1 THEN
        SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'in trouble';
      END IF`);
  });

  const tell = (text: string): Promise<unknown[][]> => server.query(text, address.database);
  const number = async (text: string, column = 0): Promise<number> =>
    Number((await tell(text))[0]?.[column]);

  /** Begins work, one piece each EVERY_MS, whatever became of those before, from two sides. */
  async function load(overMs: number, works: Promise<unknown>[], sides: readonly LoneStatements[]) {
    const endsAt = systemClock.monotonic() + overMs;
    for (let due = systemClock.monotonic(); due < endsAt; due += EVERY_MS) {
      const pauseMs = due - systemClock.monotonic();
      if (pauseMs > 0) {
        await new Promise<void>((resolve) => {
          systemClock.after(pauseMs, resolve);
        });
      }
      const at = works.length;
      const work = sides[at % sides.length]?.ask(COUNT, [at % ROWS + 1]);
      work?.catch(() => undefined); // All are looked at in the end.
      works.push(Promise.resolve(work));
    }
  }

  const sidesOf = (): LoneStatements[] => [1, 2].map(() => new LoneStatements({
    address, clock: systemClock, words: { op: 'test', database: 'database' },
  }));

  async function assertAllDone(works: readonly Promise<unknown>[]): Promise<void> {
    const ends = await Promise.allSettled(works);
    const failed = ends.filter(({ status }) => status === 'rejected');
    assert.deepEqual(failed, []);
    assert.ok(await number('SELECT SUM(n) FROM tally') >= works.length);
  }

  it('asks a server that answers nothing little more than it would a healthy one', async (t) => {
    const sides = sidesOf();
    const works: Promise<unknown>[] = [];
    await tell('UPDATE trouble SET is_there = 1');
    const asked = (): Promise<number> => number('SHOW GLOBAL STATUS LIKE \'Com_update\'', 1);
    const [beforeCount, begunMs] = [await asked(), systemClock.monotonic()];
    await load(TROUBLE_MS, works, sides);
    const count = await asked() - beforeCount;
    const seconds = (systemClock.monotonic() - begunMs) / SECOND_MS;
    const most = (1 + RETRY_SHARE) * works.length + RETRIES_AT_REST + RETRIES_PER_SECOND * seconds;
    assert.ok(count >= works.length / 2 && count <= most,
      `${count} statements for ${works.length} pieces of work; at most ${most}`);
    assert.ok(budget.figures.slowed > 0, 'some had to wait');
    await tell('UPDATE trouble SET is_there = 0');
    await assertAllDone(works);
    assert.equal(await number('SELECT SUM(n) FROM tally'), works.length);
    await Promise.all(sides.map((side) => side.close()));
    t.diagnostic(`${count} statements for ${works.length} pieces of work; at most ${most}`);
  });

  it('loses nothing while the server is away for a moment, though it tries less', async () => {
    const sides = sidesOf();
    const works: Promise<unknown>[] = [];
    await load(SECOND_MS / 2, works, sides);
    await server.kill();
    await load(AWAY_MS, works, sides);
    await Promise.all([server.startAgain(), load(SECOND_MS, works, sides)]);
    await assertAllDone(works);
    assert.ok(budget.figures.retries > 0);
    await Promise.all(sides.map((side) => side.close()));
  });
});
