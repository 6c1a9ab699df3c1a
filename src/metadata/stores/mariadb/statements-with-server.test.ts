/** What a MariaDB server sees of us: named statements of a user with few rights. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { SqlRefusal, asRequest, statementTally } from '../../../platform/index.ts';
import {
  Session, keysOf, namedSql, readRights, serverFault, statements,
} from '../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../platform/mariadb/index.ts';
import { ScratchServer, letLeastUsersIn } from '../../../platform/mariadb/testing/index.ts';
import { testAgainstModel } from '../../conformance/against-model.ts';
import { Hand } from '../../conformance/hand.ts';
import { testSharingAgainstModel } from '../../conformance/shared-against-model.ts';
import { MemoryMetadataStore } from '../memory/memory-metadata-store.ts';
import { MariadbMetadataStore } from './mariadb-metadata-store.ts';

let server: ScratchServer;
let address: ServerAddress;
let app: ServerAddress;

const open = (): Promise<MariadbMetadataStore> =>
  MariadbMetadataStore.open({ address: app, create: false });

before(async () => {
  server = await ScratchServer.start('--log-output=TABLE');
  address = await server.makeDatabase();
  app = await letLeastUsersIn(server, address.database);
  await (await MariadbMetadataStore.open({ address: app, create: true })).close();
  await server.query('SET GLOBAL general_log = ON');
});
after(() => server.stop());

const options = { open, makeModel: () => new MemoryMetadataStore(), runs: 3, isWhole: false };
testAgainstModel('MariadbMetadataStore of a user with few rights', options);
testSharingAgainstModel('MariadbMetadataStore of a user with few rights', options);

describe('The log of a server', () => {
  const marked = /^(?:COMMIT |ROLLBACK )?\/\*hf op=[\w.-]+ f=[0-9a-f]{8}(?: r=[\w.+-]+)?\*\//;

  it('has the name and fingerprint of each statement of random work', async () => {
    const rows = await server.query(`SELECT command_type, CONVERT(argument USING utf8mb4)
      FROM mysql.general_log WHERE user_host LIKE 'hf_app%'`) as [string, string][];
    const texts = rows.filter(([type]) => /^(Query|Prepare|Execute)$/.test(type));
    assert.deepEqual(texts.filter(([, text]) => !marked.test(text)).slice(0, 5), []);
    assert.ok(texts.length > 1_000 && texts.some(([, text]) => text.includes('insertNode')));
  });

  it('tells by the end of a transaction for which request it was', async () => {
    const store = await open();
    try {
      const h = await Hand.on(store, { owner: 'logged' });
      await asRequest('req-write-1', () => h.put(h.root, 'f'));
      await asRequest('req-read-1', () => h.names(h.root));
    } finally {
      await store.close();
    }
    for (const request of ['req-write-1', 'req-read-1']) {
      const found = await server.query(`SELECT COUNT(*) FROM mysql.general_log
        WHERE command_type = 'Query' AND argument LIKE 'COMMIT %r=${request}*/'`);
      assert.ok(Number(found[0]?.[0]) >= 1, request);
    }
  });
});

describe('The slowest statement', () => {
  it('is found with its request, also when a writer waited', async () => {
    const store = await open();
    const holder = await Session.open(address, 'schema');
    try {
      const h = await Hand.on(store, { owner: 'slow' });
      await holder.run('SELECT turn FROM writer_turn WHERE id = 1 FOR UPDATE');
      const put = asRequest('req-slow-1', () => h.put(h.root, 'late'));
      const isWaiting = async (): Promise<boolean> => (await server.query(
        'SELECT COUNT(*) FROM information_schema.processlist WHERE user = \'hf_app\' '
        + 'AND info LIKE \'%takeTurn%\' AND time > 1'))[0]?.[0] === 1;
      const endsAt = performance.now() + 60_000;
      while (!await isWaiting() && performance.now() < endsAt);
      await holder.run('COMMIT');
      await put;
    } finally {
      await holder.end();
      await store.close();
    }
    const [slowest] = [...statementTally].toSorted((a, b) => b.slowestMs - a.slowestMs);
    assert.equal(slowest?.name, 'metadata.turn.takeTurn');
    assert.equal(slowest.slowestRequest, 'req-slow-1');
    assert.ok(slowest.slowestMs >= 1_000);
  });
});

describe('The guard of a session', () => {
  const owner = { owner: 'tests', tables: keysOf({
    upload: 'owner TEXT NOT NULL, upload_id TEXT NOT NULL, PRIMARY KEY (owner, upload_id)',
  }), rowsPerKey: 3 };
  const { text: DELETE } = namedSql('deleteUploads', 'DELETE FROM upload WHERE owner = ?', owner);

  it('sends nothing that is not registered', async () => {
    const session = await Session.open(app, 'write');
    await assert.rejects(session.execute('DELETE FROM upload WHERE owner = ?', ['anna']),
      (error) => error instanceof SqlRefusal && error.rule === 'unknown');
    await assert.rejects(session.run('DROP TABLE upload'), SqlRefusal);
    await session.end();
    const sent = await server.query(`SELECT COUNT(*) FROM mysql.general_log
      WHERE argument LIKE 'DROP TABLE upload%' AND user_host LIKE 'hf_app%'`);
    assert.deepEqual(sent, [[0]]);
  });

  it('is watched by the server, which refuses what searches no key, also alone', async () => {
    // Nobody but a test enters a text that was not judged.
    const keyless = ['UPDATE upload SET ended = ? WHERE part_count = ?',
      'DELETE FROM upload WHERE ended = ? AND part_count = ?', 'DELETE FROM upload',
      // For which MySQL searches the key.
      ...(server.isMysql ? [] : ['DELETE FROM upload WHERE (owner, upload_id) IN ((?, ?))'])];
    for (const text of keyless) {
      statements.adopt({ name: 'tests.unjudged', fingerprint: '', kind: 'write', rowsMax: 1_000,
        looksKeyless: false, text });
      assert.throws(() => namedSql('keyless', text, owner), SqlRefusal);
    }
    const rows = 'SELECT ? AS v0 UNION ALL SELECT ?';
    // MariaDB takes this for a search without a key, MySQL does not.
    const joined = namedSql('forgetUploads', `DELETE u FROM (${rows}) v STRAIGHT_JOIN upload u
      ON u.owner = v.v0`, owner);
    for (const mode of ['write', 'lone'] as const) {
      const session = await Session.open(app, mode);
      for (const text of keyless) {
        const values = [1, 7].slice(0, text.split('?').length - 1);
        await assert.rejects(session.execute(text, values),
          (error) => serverFault(error)?.errno === 1175, `${mode}: ${text}`);
      }
      assert.equal((await session.execute(DELETE, ['nobody'])).changes, 0);
      const joining = session.execute(joined.text, ['nobody', 'no other']);
      if (mode === 'write' || server.isMysql) assert.equal((await joining).changes, 0);
      else await assert.rejects(joining, (error) => serverFault(error)?.errno === 1175);
      await session.end();
    }
  });

  it('undoes what affects more rows than were declared, and lets pass what does not', async () => {
    const count = async (): Promise<unknown> =>
      (await server.query('SELECT COUNT(*) FROM upload WHERE owner = \'many\'',
        address.database))[0]?.[0];
    const rows = Array.from({ length: 30 }, (_, n) => `('many', 'u${n}', 0, 0, 0, 0)`);
    await server.query(`INSERT INTO upload (owner, upload_id, created_at, expires_at, part_count,
      ended) VALUES ${rows.join(', ')}, ('few', 'u', 0, 0, 0, 0)`, address.database);
    const session = await Session.open(app, 'write');
    await assert.rejects(session.execute(DELETE, ['many']), (error) =>
      error instanceof SqlRefusal && error.rule === 'rows' && isKind(error, 'internal')
        && serverFault(error)?.isLost === false);
    await session.run('COMMIT');
    assert.equal(await count(), 30);
    const together = [['few'], ['many']].map((values) => ({ text: DELETE, values }));
    await assert.rejects(session.executeAll(together), SqlRefusal);
    await session.run('COMMIT');
    assert.equal(await count(), 30);
    assert.equal((await session.execute(DELETE, ['few'])).changes, 1);
    await session.run('COMMIT');
    await session.end();
  });
});

describe('The user of every day', () => {
  it('may not change tables, nor files, nor other databases: the server refuses', async () => {
    const { schemaUser: _, ...alone } = app;
    const session = await Session.open(alone, 'schema'); // The guard does not stand in the way.
    for (const text of [
      'DROP TABLE upload', 'TRUNCATE TABLE upload', 'ALTER TABLE upload ADD COLUMN x INT',
      'CREATE TABLE strangers (id INT)',
      'CREATE TRIGGER strangers AFTER DELETE ON upload FOR EACH ROW DELETE FROM node',
      'CREATE INDEX x ON upload (ended)', 'DROP DATABASE mysql',
      'SELECT * FROM mysql.user', 'SELECT 1 INTO OUTFILE \'/tmp/holdfast-strangers\'',
      'SET GLOBAL sync_binlog = 0', 'GRANT ALL ON *.* TO hf_app@\'127.0.0.1\'',
    ]) {
      await assert.rejects(session.run(text), (error) =>
        [1044, 1045, 1142, 1227].includes(serverFault(error)?.errno ?? 0), text);
    }
    await session.end();
  });

  it('has another one beside it who may, and both are told apart at the start', async () => {
    const session = await Session.open(app, 'schema');
    const { rows: [[user] = []] } = await session.run('SELECT CURRENT_USER()');
    await session.end();
    assert.equal(user, 'hf_ddl@127.0.0.1');
    await server.query(`REVOKE TRIGGER ON ${address.database}.* FROM hf_ddl@'127.0.0.1'`);
    await server.query(`GRANT TRIGGER ON ${address.database}.* TO hf_app@'127.0.0.1'`);
    assert.deepEqual(await readRights(app), {
      tooMany: [`TRIGGER on ${address.database}.*`], missing: ['TRIGGER'],
    });
    await server.query(`REVOKE TRIGGER ON ${address.database}.* FROM hf_app@'127.0.0.1'`);
    await server.query(`GRANT TRIGGER ON ${address.database}.* TO hf_ddl@'127.0.0.1'`);
  });

  it('has no right too many, as root has', async () => {
    assert.deepEqual(await readRights(app), { tooMany: [], missing: [] });
    // MySQL names them all, one by one.
    const ofRoot = server.isMysql ? ['SUPER on *.*', 'BINLOG_ADMIN on *.*']
      : ['ALL PRIVILEGES on *.*'];
    const { tooMany } = await readRights(address);
    assert.deepEqual(ofRoot.filter((right) => !tooMany.includes(right)), []);
  });
});
