/** Two write at two nodes of a cluster, and each is undone by the other at any moment: also while
 *  it prepares statements that its connection does not know yet. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Session, isBeaten, keysOf, namedTable } from '../../src/platform/mariadb/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import type { GaleraCluster } from '../../src/platform/mariadb/testing/index.ts';

const TABLES = {
  beaten_turn: 'id SMALLINT NOT NULL, turn BIGINT NOT NULL, PRIMARY KEY (id)',
  beaten_row: 'id VARCHAR(64) NOT NULL, PRIMARY KEY (id)',
};
const OWNER = { owner: 'test.beaten', tables: keysOf(TABLES) };
const SQL = namedTable({
  raiseBeaten: 'UPDATE beaten_turn SET turn = LAST_INSERT_ID(turn + 1) WHERE id = 1',
  addBeaten: 'INSERT INTO beaten_row (id) VALUES (?)',
}, OWNER);
const NEW_COUNT = 12;
/** New to each connection. */
const NEW_TEXTS = Object.values(namedTable(Object.fromEntries(Array.from({ length: NEW_COUNT },
  (_, n) => [`ask${String.fromCharCode(65 + n)}`,
    `SELECT turn + ${n} FROM beaten_turn WHERE id = 1`])), OWNER)).map(({ text }) => text);
const RUN_MS = 15_000;

/** Each transaction takes its turn, and then writes a row, over a connection of its own. */
async function write(address: ServerAddress, row: string): Promise<boolean> {
  const session = await Session.open(address, 'write');
  try {
    await session.execute(SQL.raiseBeaten.text, []);
    await session.executeAll([
      ...NEW_TEXTS.map((text) => ({ text, values: [] })),
      { text: SQL.addBeaten.text, values: [row] },
    ]);
    await session.run('COMMIT');
    return true;
  } catch (error) {
    if (!isBeaten(error)) throw error;
    return false;
  } finally {
    session.destroy();
  }
}

export function testBeatenOnGalera(of: () => GaleraCluster): void {
  it('whoever is undone by another node while it prepares statements commits no half of its '
    + 'transaction', async (t) => {
    const { database } = await of().makeDatabase('beaten');
    const [one, two] = of().nodes;
    assert.ok(one !== undefined && two !== undefined);
    for (const [name, columns] of Object.entries(TABLES)) {
      await one.query(`CREATE TABLE ${database}.${name} (${columns}) ENGINE = InnoDB`);
    }
    await one.query(`INSERT INTO ${database}.beaten_turn VALUES (1, 0)`);
    await Session.open(two.address(database), 'write').then((session) => session.end());
    const untilMs = performance.now() + RUN_MS;
    let [madeCount, beatenCount] = [0, 0];
    await Promise.all([one, two, one, two].map(async (node, lane) => {
      for (let n = 0; performance.now() < untilMs; n += 1) {
        if (await write(node.address(database), `${lane} ${n}`)) madeCount += 1;
        else beatenCount += 1;
      }
    }));
    t.diagnostic(`${madeCount} made, ${beatenCount} beaten`);
    assert.ok(madeCount > 0 && beatenCount > 0, 'they have met');
    const counts = await one.query(`SET SESSION wsrep_sync_wait = 1; SELECT turn, (SELECT COUNT(*)
      FROM ${database}.beaten_row) FROM ${database}.beaten_turn`);
    assert.deepEqual(counts.split('\t').map(Number), [madeCount, madeCount]);
  });
}
