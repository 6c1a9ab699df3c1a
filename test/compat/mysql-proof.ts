/** Part of `npm run proof:mysql`: what is peculiar to MySQL, where MariaDB's suites ask nothing. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { isKind } from '../../src/base/errors.ts';
import { Hand, MariadbMetadataStore } from '../../src/metadata/stores/mariadb/testing/index.ts';
import { systemClock } from '../../src/platform/index.ts';
import {
  LoneStatements, Session, explainedFault, isPassing, lookAtDatabase, namedSql, readSettings,
  serverFault, unsafeSettings,
} from '../../src/platform/mariadb/index.ts';
import type { ServerAddress } from '../../src/platform/mariadb/index.ts';
import { ScratchServer } from '../../src/platform/mariadb/testing/index.ts';
import { eventually } from '../support/deadline.ts';
import { scratchFolder } from '../support/scratch.ts';

const WORDS = { op: 'test', database: 'metadata database' };
const OWNER = { owner: 'tests', tables: new Map() };
const LIMITS = namedSql('limits',
  'SELECT @@session.max_execution_time, @@session.sql_safe_updates', OWNER);
const WHO = namedSql('who', 'SELECT CONNECTION_ID()', OWNER);
const WAIT_MS = 60_000;

let server: ScratchServer;
let tlsCa: string;
before(async () => {
  const folder = scratchFolder('mysql-proof');
  const [key, certificate] = ['key.pem', 'server.pem'].map((name) => join(folder, name));
  await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
    'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=database', '-addext',
    'subjectAltName=DNS:localhost', '-keyout', key ?? '', '-out', certificate ?? '']);
  tlsCa = readFileSync(certificate ?? '', 'utf8');
  server = await ScratchServer.start(`--ssl-cert=${certificate}`, `--ssl-key=${key}`);
  assert.ok(server.isMysql, 'this is about MySQL: npm run proof:mysql -- PATH');
});
after(() => server.stop());

/** A session that may say anything, ended behind `act`. */
async function on<T>(address: ServerAddress, act: (session: Session) => Promise<T>): Promise<T> {
  const session = await Session.open(address, 'schema');
  try {
    return await act(session);
  } finally {
    await session.end();
  }
}

const errnoOf = (error: unknown): number | undefined => serverFault(error)?.errno;

describe('The settings of a MySQL server', () => {
  it('are safe as they come', async () => {
    const found = await on(server.addressOf(), readSettings);
    assert.doesNotMatch(found.version, /MariaDB/);
    assert.deepEqual(unsafeSettings(found), []);
  });

  it('are not, while it writes no redo log', async () => {
    await server.query('ALTER INSTANCE DISABLE INNODB REDO_LOG');
    await assert.rejects(on(server.addressOf(), (session) => lookAtDatabase(session, WORDS)),
      (error) => isKind(error, 'invalid') && /innodb_redo_log_enabled is OFF/.test(error.message));
    await server.query('ALTER INSTANCE ENABLE INNODB REDO_LOG');
    await on(server.addressOf(), (session) => lookAtDatabase(session, WORDS));
  });

  it('of its sessions have it give up what we give up, and refuse what searches no key',
    async () => {
      const limits = { write: [60_000, 1], lone: [60_000, 1], read: [60_000, 0] } as const;
      for (const [mode, wanted] of Object.entries(limits)) {
        const session = await Session.open(server.addressOf(), mode as keyof typeof limits);
        assert.deepEqual((await session.run(LIMITS.text)).rows, [wanted], mode);
        await session.end();
      }
    });
});

describe('A user whose password MySQL keeps as caching_sha2_password', () => {
  const user = { user: 'sha', password: 'of sha, with "quotes" and ß' };
  const cipherOf = (address: ServerAddress): Promise<unknown> => on(address, async (session) =>
    (await session.run('SHOW STATUS LIKE \'Ssl_cipher\'')).rows[0]?.[1]);

  before(async () => {
    await server.query(`CREATE USER sha@'%' IDENTIFIED WITH caching_sha2_password
      BY '${user.password}'`);
  });

  for (const isEncrypted of [false, true]) {
    it(`is let in ${isEncrypted ? 'over TLS' : 'without, by the server\'s key'}, before and after `
      + 'the server remembers it', async () => {
      const way = isEncrypted ? { host: 'localhost', tlsCa } : {};
      for (const time of ['first', 'again']) {
        if (time === 'first') await server.query('FLUSH PRIVILEGES');
        const cipher = String(await cipherOf({ ...server.addressOf(), ...user, ...way }));
        assert.match(cipher, isEncrypted ? /^TLS_/ : /^$/, time);
      }
      const wrong = cipherOf({ ...server.addressOf(), ...user, ...way, password: 'wrong' });
      await assert.rejects(wrong, (error) => {
        const fault = explainedFault(error, WORDS);
        return isKind(fault, 'unavailable') && fault.code === 'database-refused'
          && fault.message.includes(' as sha.');
      });
    });
  }
});

describe('What a MySQL server answers in place of doing it', () => {
  let address: ServerAddress;
  before(async () => {
    address = await server.makeDatabase();
    await on(address, (session) => session.run('CREATE TABLE t (id INT PRIMARY KEY, n INT)'));
    await server.query('INSERT INTO t VALUES (1, 0), (2, 0)', address.database);
  });

  const busy = (errno: number) => (error: unknown): boolean =>
    errnoOf(error) === errno && isKind(explainedFault(error, WORDS), 'busy');

  it('busy, of a lock that another one has for too long', async () => {
    await on(address, (holder) => on(address, async (session) => {
      await session.run('SET SESSION innodb_lock_wait_timeout = 1');
      await holder.run('UPDATE t SET n = 1 WHERE id = 1');
      await assert.rejects(session.run('UPDATE t SET n = 2 WHERE id = 1'), busy(1205));
    }));
  });

  it('busy, of two that wait for each other, and the one that was undone may try again',
    async () => {
      await on(address, (one) => on(address, async (two) => {
        await one.run('UPDATE t SET n = 1 WHERE id = 1');
        await two.run('UPDATE t SET n = 2 WHERE id = 2');
        const ends = await Promise.allSettled([
          one.run('UPDATE t SET n = 1 WHERE id = 2'), two.run('UPDATE t SET n = 2 WHERE id = 1'),
        ]);
        const [undone] = ends.filter((end) => end.status === 'rejected');
        assert.ok(undone !== undefined && busy(1213)(undone.reason));
        const fault = serverFault(undone.reason);
        assert.ok(fault !== undefined && isPassing(fault) && !fault.isLost);
      }));
    });

  it('busy, of a question that takes too long', async () => {
    await on(address, async (session) => {
      await session.run('SET SESSION max_execution_time = 20');
      const endless = `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
        WHERE i < 90000) SELECT COUNT(*) FROM n a, n b, n c`;
      await assert.rejects(session.run(endless), busy(3024));
      assert.deepEqual((await session.run('SELECT 1')).rows, [[1]]);
    });
  });

  it('unavailable, of a right that it lacks for a routine', async () => {
    await server.query('CREATE FUNCTION secret() RETURNS INT NO SQL RETURN 1', address.database);
    await server.query('CREATE USER few@\'%\'');
    await server.query(`GRANT SELECT ON ${address.database}.* TO few@'%'`);
    await on({ ...address, user: 'few' }, async (session) => {
      await assert.rejects(session.run('SELECT secret()'), (error) => errnoOf(error) === 1370
        && isKind(explainedFault(error, WORDS), 'unavailable'));
    });
  });

  it('unavailable, of changes while it may only be read; what there is can be read', async () => {
    const store = await MariadbMetadataStore.open({
      address: await server.makeDatabase(), create: true,
    });
    try {
      const h = await Hand.on(store);
      await h.put(h.root, 'before');
      await server.query('SET GLOBAL super_read_only = ON');
      await assert.rejects(h.put(h.root, 'refused'), (error) =>
        isKind(error, 'unavailable') && /cannot be written/.test(error.message));
      assert.deepEqual(await h.names(h.root), ['before']);
      await server.query('SET GLOBAL super_read_only = OFF');
      await server.query('SET GLOBAL read_only = OFF');
      await h.put(h.root, 'then');
      assert.deepEqual(await h.names(h.root), ['before', 'then']);
    } finally {
      await store.close();
    }
  });

  it('nothing, once it has ended a connection that was silent: the next question makes a new one',
    async () => {
      await server.query('SET GLOBAL wait_timeout = 1');
      const lone = new LoneStatements({ address, clock: systemClock, words: WORDS });
      try {
        const ask = async (): Promise<unknown> => (await lone.ask(WHO, [])).rows[0]?.[0];
        const first = await ask();
        await server.query('SET GLOBAL wait_timeout = 28800');
        await eventually(WAIT_MS, 'the server ends it', async () => {
          const [[count] = []] = await server.query(
            `SELECT COUNT(*) FROM information_schema.processlist WHERE id = ${String(first)}`);
          return count === 0;
        });
        assert.notEqual(await ask(), first);
      } finally {
        await lone.close();
      }
    });
});
