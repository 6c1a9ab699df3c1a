import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { Session } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { fenceDatabase, unfenceDatabase } from './mariadb-fence.ts';

const FENCE = { open: ['whose'], endable: ['turn'] };
const REFUSED = { errno: 45_000 };

describe('A fence around a database', { timeout: 120_000 }, () => {
  let server: ScratchServer;
  let address: ServerAddress;
  let early: Session;
  before(async () => {
    server = await ScratchServer.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    address = await server.makeDatabase();
    for (const table of ['plain', 'turn', 'whose']) {
      await server.query(`CREATE TABLE ${table} (id INT PRIMARY KEY, value INT) ENGINE = InnoDB`,
        address.database);
      await server.query(`INSERT INTO ${table} VALUES (1, 1)`, address.database);
    }
    early = await Session.open(address, 'schema');
  });

  afterEach(() => early.end());

  const plain = (): Promise<unknown[][]> => server.query('SELECT * FROM plain', address.database);

  it('lets nobody change a row, and comes away again', async () => {
    await early.run('SELECT * FROM plain');
    await early.run('COMMIT');
    await fenceDatabase(address, FENCE);
    await fenceDatabase(address, FENCE); // Done again.
    for (const change of [
      'INSERT INTO plain VALUES (2, 2)', 'INSERT IGNORE INTO plain VALUES (2, 2)',
      'INSERT INTO plain VALUES (1, 2) ON DUPLICATE KEY UPDATE value = 2',
      'REPLACE INTO plain VALUES (1, 2)', 'UPDATE plain SET value = 2', 'DELETE FROM plain',
      'UPDATE turn SET value = 2',
    ]) await assert.rejects(early.run(change), REFUSED, change);
    await early.run('DELETE FROM turn');
    await early.run('UPDATE whose SET value = 2');
    await early.run('COMMIT');
    assert.deepEqual(await plain(), [[1, 1]]);
    await unfenceDatabase(address);
    await unfenceDatabase(address);
    await early.run('UPDATE plain SET value = 3');
    await early.run('COMMIT');
    assert.deepEqual(await plain(), [[1, 3]]);
  });

  it('goes round tables that were made since', async () => {
    await fenceDatabase(address, FENCE);
    await server.query('CREATE TABLE later (id INT PRIMARY KEY)', address.database);
    await fenceDatabase(address, FENCE);
    await assert.rejects(early.run('INSERT INTO later VALUES (1)'), REFUSED);
  });

  it('does not stand while a transaction is open that began before, and says so', async () => {
    await early.run('UPDATE plain SET value = 2');
    await assert.rejects(fenceDatabase(address, FENCE),
      { kind: 'busy', code: 'table-in-use', message: /transaction open.*innodb_trx/ });
    await early.run('COMMIT');
    await fenceDatabase(address, FENCE);
    assert.deepEqual(await plain(), [[1, 2]]);
  });
});
