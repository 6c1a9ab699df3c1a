/** A store whose server goes away, and something else comes to its address. */
import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, afterEach, describe, it } from 'node:test';
import { Session } from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer } from '../../../platform/mariadb/testing/index.ts';
import { Hand, refused } from '../../conformance/hand.ts';
import { claimDatabase } from './installation.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

const SHARD = 3;

async function openStore(address: ServerAddress, installation: string, shard = SHARD) {
  await claimDatabase(address, { installation, mayTake: true });
  return MariadbMetadataStore.open({ address, create: true, shard });
}

describe('A store on MariaDB whose server was away', { timeout: 180_000 }, () => {
  let server: ScratchServer;
  let address: ServerAddress;
  let store: MariadbMetadataStore;
  let hand: Hand;
  before(async () => {
    server = await ScratchServer.start();
  });
  after(() => server.stop());
  beforeEach(async () => {
    address = await server.makeDatabase();
    store = await openStore(address, 'ours');
    hand = await Hand.on(store);
    await hand.put(hand.root, 'before');
  });
  afterEach(() => store.close());

  /** Neither read nor written, with the reason; and by moves of tenants neither. */
  async function isRefused(why: RegExp): Promise<void> {
    for (const act of [
      () => store.findBatch(0), () => hand.put(hand.root, 'lost'), () => store.readFigures(),
      () => store.tenantRows.isCaptured(hand.space.tenant),
      () => store.tenantRows.beginCapture(hand.space.tenant),
    ]) {
      const { message } = await refused(act(), 'unavailable', 'database-changed');
      assert.match(message, why);
    }
  }

  async function goesOn(): Promise<void> {
    await hand.put(hand.root, 'behind');
    assert.deepEqual(await hand.names(hand.root), ['before', 'behind']);
  }

  async function withOther(
    prepare: (other: ScratchServer) => Promise<void>, act: () => Promise<void>,
  ): Promise<void> {
    await server.kill();
    const other = await ScratchServer.startAt(server.port);
    try {
      await other.query(`CREATE DATABASE ${address.database}`);
      await prepare(other);
      const turns = (): Promise<unknown[][]> =>
        other.query('SELECT turn FROM writer_turn', address.database).catch(() => []);
      const turn = await turns();
      await act();
      assert.deepEqual(await turns(), turn, 'nothing was written there');
    } finally {
      await other.stop();
      await server.startAgain();
    }
    await goesOn();
  }

  it('is refused the database of another installation, and goes on with its own', () =>
    withOther(async () => (await openStore(address, 'another')).close(),
      () => isRefused(/another one.*installation ours shard 3 .*now installation another /)));

  it('is refused another shard of its own installation', () =>
    withOther(async () => (await openStore(address, 'ours', 4)).close(),
      () => isRefused(/another one than was there.*now installation ours shard 4/)));

  it('is refused an empty database', () =>
    withOther(async () => undefined, () => isRefused(/the tables that were there are missing/)));

  it('is refused an older backup of its own database', async () => {
    const data = join(server.folder, 'data');
    const [older, newer] = [join(server.folder, 'older'), join(server.folder, 'newer')];
    await server.kill();
    cpSync(data, older, { recursive: true });
    await server.startAgain();
    await hand.put(hand.root, 'acknowledged');
    await server.kill();
    cpSync(data, newer, { recursive: true });
    const putBack = async (from: string): Promise<void> => {
      rmSync(data, { recursive: true });
      cpSync(from, data, { recursive: true });
      await server.startAgain();
    };
    await putBack(older);
    await isRefused(/older state.*without changes that were acknowledged/);
    await server.kill();
    await putBack(newer);
    assert.deepEqual(await hand.names(hand.root), ['acknowledged', 'before']);
  });

  it('is refused a server that came back with settings that are not safe', async () => {
    const session = await Session.open(server.addressOf(), 'schema');
    const others = async (): Promise<unknown[]> => (await session.run(`SELECT id
      FROM information_schema.processlist WHERE db = '${address.database}'`)).rows.flat();
    await session.run('SET GLOBAL innodb_flush_log_at_trx_commit = 2');
    for (const id of await others()) await session.run(`KILL ${String(id)}`);
    await isRefused(/innodb_flush_log_at_trx_commit is 2/);
    await session.run('SET GLOBAL innodb_flush_log_at_trx_commit = 1');
    await session.end();
    await goesOn();
  });
});
