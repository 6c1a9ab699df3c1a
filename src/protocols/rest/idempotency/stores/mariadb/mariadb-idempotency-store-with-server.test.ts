import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isKind } from '../../../../../base/errors.ts';
import { parseUserId } from '../../../../../base/ids.ts';
import { ManualClock, systemClock } from '../../../../../platform/index.ts';
import { Session } from '../../../../../platform/mariadb/index.ts';
import type { ServerAddress } from '../../../../../platform/mariadb/index.ts';
import {
  CuttingProxy, ScratchServer, numbersTo, planOf,
} from '../../../../../platform/mariadb/testing/index.ts';
import { ANSWER, keyed, testIdempotencyStore } from '../../idempotency-store.conformance.ts';
import { KEY_TTL_MS, KEYS_PER_USER_MAX } from '../../idempotency-store.ts';
import { UPKEEP_EVERY_MS } from './key-upkeep.ts';
import { KEYED_REQUEST_SQL } from './keyed-request-schema.ts';
import { AGAIN_MS } from './late-ends.ts';
import { MariadbIdempotencyStore } from './mariadb-idempotency-store.ts';

const AT = Date.UTC(2026, 10, 21);

let server: ScratchServer;
let address: ServerAddress;
before(async () => {
  server = await ScratchServer.start();
  address = await server.makeDatabase();
  await (await MariadbIdempotencyStore.open({ address })).close();
});
after(() => server.stop());

async function openEmpty(): Promise<MariadbIdempotencyStore> {
  await server.query('DELETE FROM keyed_request', address.database);
  return MariadbIdempotencyStore.open({ address });
}

testIdempotencyStore('MariadbIdempotencyStore', openEmpty);

describe('Two MariadbIdempotencyStores', () => {
  let ours: MariadbIdempotencyStore;
  let theirs: MariadbIdempotencyStore;
  const openBoth = async (): Promise<void> => {
    ours = await openEmpty();
    theirs = await MariadbIdempotencyStore.open({ address });
  };
  const closeBoth = async (): Promise<void> => {
    await ours.close();
    await theirs.close();
  };

  it('let one begin, and tell everybody what was answered', async () => {
    await openBoth();
    const asked = Array.from({ length: 20 }, (_, n) =>
      (n % 2 === 0 ? ours : theirs).begin(keyed('k'), AT));
    const kinds = (await Promise.all(asked)).map(({ kind }) => kind);
    assert.equal(kinds.filter((kind) => kind === 'begun').length, 1);
    assert.equal(kinds.filter((kind) => kind === 'busy').length, 19);
    const winner = kinds.indexOf('begun') % 2 === 0 ? ours : theirs;
    await winner.finish(keyed('k'), ANSWER);
    for (const store of [ours, theirs]) {
      assert.deepEqual(await store.begin(keyed('k'), AT), { kind: 'done', answer: ANSWER });
    }
    await closeBoth();
  });

  it('cannot tell how that ended which one had begun that was closed or has fallen silent',
    async () => {
      await openBoth();
      await theirs.begin(keyed('k'), AT);
      assert.deepEqual(await ours.begin(keyed('k'), AT), { kind: 'busy' });
      await server.query('UPDATE keyed_request_writer SET seen_s = seen_s - 100',
        address.database);
      assert.deepEqual(await ours.begin(keyed('k'), AT), { kind: 'busy' }, 'heard of lately');
      await server.query('UPDATE keyed_request_writer SET seen_s = seen_s - 100',
        address.database);
      assert.deepEqual(await ours.begin(keyed('k'), AT), { kind: 'unknown' }, 'silent');
      await theirs.finish(keyed('k'), ANSWER);
      assert.equal((await ours.begin(keyed('k'), AT)).kind, 'done', 'it was only slow');
      await theirs.begin(keyed('open'), AT);
      await theirs.close();
      assert.deepEqual(await ours.begin(keyed('open'), AT), { kind: 'unknown' }, 'closed');
      await ours.close();
    });
});

describe('A MariadbIdempotencyStore whose connection breaks', () => {
  for (const cut of ['before-commit', 'after-commit'] as const) {
    it(`begins and ends a key once, when it breaks ${cut}`, async () => {
      const proxy = await CuttingProxy.start(server.port);
      const through = server.addressOf(address.database, proxy.port);
      const store = await MariadbIdempotencyStore.open({ address: through });
      const cutAt = (key: string): void => proxy.cutNext(cut, key);
      const key = `cut-${cut}`;
      cutAt(key);
      assert.deepEqual(await store.begin(keyed(key), AT), { kind: 'begun' });
      assert.deepEqual(await store.begin(keyed(key), AT), { kind: 'busy' });
      cutAt(key);
      await store.finish(keyed(key), ANSWER);
      assert.deepEqual(await store.begin(keyed(key), AT), { kind: 'done', answer: ANSWER });
      cutAt(key);
      assert.deepEqual(await store.begin(keyed(key), AT + KEY_TTL_MS), { kind: 'begun' }, 'anew');
      assert.equal(proxy.cutCount, 3);
      await store.close();
      await proxy.stop();
    });
  }
});

describe('A MariadbIdempotencyStore whose server is away', () => {
  const moment = (): Promise<void> => new Promise((resolve) => {
    systemClock.after(100, resolve);
  });
  const eventuallyIs = async (
    store: MariadbIdempotencyStore, key: string, wanted: string,
  ): Promise<void> => {
    const endsAt = systemClock.now() + 60_000;
    for (;;) {
      const { kind } = await store.begin(keyed(key), AT);
      if (kind === wanted) return;
      assert.equal(kind, 'busy', key);
      assert.ok(systemClock.now() < endsAt, `${key} stays busy`);
      await moment();
    }
  };

  it('notes the ends of requests when it is back: none stays busy', async () => {
    const store = await openEmpty();
    const theirs = await MariadbIdempotencyStore.open({ address });
    for (const key of ['done', 'lost', 'free']) await store.begin(keyed(key), AT);
    await server.kill();
    const isAway = (error: unknown): boolean => isKind(error, 'unavailable');
    await Promise.all([
      assert.rejects(store.finish(keyed('done'), ANSWER), isAway),
      assert.rejects(store.lose(keyed('lost')), isAway),
      assert.rejects(store.forget(keyed('free')), isAway),
    ]);
    await server.startAgain();
    await eventuallyIs(theirs, 'done', 'done');
    await eventuallyIs(theirs, 'lost', 'unknown');
    await eventuallyIs(theirs, 'free', 'begun');
    assert.deepEqual(await theirs.begin(keyed('done'), AT), { kind: 'done', answer: ANSWER });
    await store.close();
    await theirs.close();
  });

  it('forgets what the server began after it was given up', async () => {
    const store = await openEmpty();
    const theirs = await MariadbIdempotencyStore.open({ address });
    await store.begin(keyed('warm'), AT);
    server.freeze();
    try {
      await assert.rejects(store.begin(keyed('late'), AT), (error) => isKind(error, 'unavailable'));
    } finally {
      server.goOn();
    }
    await eventuallyIs(theirs, 'late', 'begun');
    await store.close();
    await theirs.close();
  });

  it('leaves alone what was begun under the key since', async () => {
    const store = await openEmpty();
    const theirs = await MariadbIdempotencyStore.open({ address });
    await store.begin(keyed('k'), AT);
    server.freeze();
    try {
      await assert.rejects(store.forget(keyed('k')), (error) => isKind(error, 'unavailable'));
    } finally {
      server.goOn();
    }
    // As if it had done what it was asked before. Here the key is still to be forgotten.
    await server.query('DELETE FROM keyed_request WHERE request_key = \'k\'', address.database);
    assert.deepEqual(await store.begin(keyed('k'), AT), { kind: 'begun' });
    const endsAt = systemClock.monotonic() + 3 * AGAIN_MS;
    while (systemClock.monotonic() < endsAt) {
      assert.deepEqual(await theirs.begin(keyed('k'), AT), { kind: 'busy' });
      await moment();
    }
    await store.close();
    await theirs.close();
  });
});

describe('The upkeep of MariadbIdempotencyStore', () => {
  it('notes that it is there, sweeps what is over, and keeps the newest of a user', async () => {
    await openEmpty().then((store) => store.close());
    const clock = new ManualClock(AT);
    const store = await MariadbIdempotencyStore.open({ address, clock });
    const count = async (user: string): Promise<number> => {
      const [[found] = []] = await server.query(
        `SELECT COUNT(*) FROM keyed_request WHERE user_id = '${user}'`, address.database);
      return Number(found);
    };
    const old = keyed('old', { user: parseUserId('ben') });
    await store.begin(old, AT - 2 * 24 * 60 * 60 * 1000);
    await server.query(`INSERT INTO keyed_request (user_id, request_key, fingerprint, begun_at,
        state, attempt, writer) SELECT 'anna', CONCAT('k', seq), 'f', ${AT} - 20000 + seq, 'done',
        '', '' FROM ${numbersTo(KEYS_PER_USER_MAX + 50)}`, address.database);
    await server.query('UPDATE keyed_request_writer SET seen_s = 1', address.database);
    for (let n = 0; n < 100; n += 1) await store.begin(keyed(`new${n}`), AT + n);
    clock.advance(UPKEEP_EVERY_MS);
    const endsAt = systemClock.now() + 60_000;
    const seen = (): Promise<unknown[][]> => server.query(
      'SELECT id FROM keyed_request_writer WHERE seen_s > 1', address.database);
    while ((await seen()).length === 0) assert.ok(systemClock.now() < endsAt, 'it notes itself');
    await store.close(); // Waits for the round that is under way.
    assert.deepEqual(await seen(), []);
    assert.deepEqual([await count('anna'), await count('ben')], [KEYS_PER_USER_MAX, 0]);
    const again = await MariadbIdempotencyStore.open({ address });
    assert.equal((await again.begin(keyed('k1', { fingerprint: 'f' }), AT)).kind, 'begun');
    await again.close();
  });
});

describe('MariadbIdempotencyStore asks the server', () => {
  it('once for a new key, twice for a known one, and once for its end', async () => {
    const store = await openEmpty();
    const asked = async (act: () => Promise<unknown>): Promise<number> => {
      const before = store.questionCount;
      await act();
      return store.questionCount - before;
    };
    assert.equal(await asked(() => store.begin(keyed('k'), AT)), 1);
    assert.equal(await asked(() => store.begin(keyed('k'), AT)), 2);
    assert.equal(await asked(() => store.finish(keyed('k'), ANSWER)), 1);
    assert.equal(await asked(() => store.forget(keyed('k'))), 1);
    await store.close();
  });
});

describe('The statements on keyed requests', () => {
  it('never pass over all of them', async () => {
    await server.query(`INSERT INTO keyed_request (user_id, request_key, fingerprint, begun_at,
        state, attempt, writer) SELECT CONCAT('u', seq % 50), CONCAT('k', seq), 'f', seq, 'done',
        '', '' FROM ${numbersTo(5_000)}`, address.database);
    await server.query('ANALYZE TABLE keyed_request', address.database);
    const session = await Session.open(address, 'schema'); // May say EXPLAIN.
    const found: string[] = [];
    for (const { name, text, slots, tables } of Object.values(KEYED_REQUEST_SQL)) {
      if (!tables.includes('keyed_request') || name === 'beginKey') continue;
      const values = slots.map((slot) => (typeof slot === 'number' ? 5 : `u${slot.length}`));
      if (name === 'findOldestKey') values[1] = 5;
      for (const { table, type } of await planOf(session, text, values)) {
        const isScan = type === 'ALL' || type === 'index';
        if (isScan && (table === 'keyed_request' || table === 'r')) found.push(name);
      }
    }
    await session.end();
    assert.deepEqual(found, []);
  });
});

describe('MariadbIdempotencyStore, on opening', () => {
  it('refuses a newer format, and a database of another program', async () => {
    await server.query('UPDATE keyed_request_meta SET value = 99', address.database);
    await assert.rejects(MariadbIdempotencyStore.open({ address }), (error) =>
      isKind(error, 'invalid') && error.code === 'format-newer');
    await server.query('UPDATE keyed_request_meta SET value = 1', address.database);
    const strange = await server.makeDatabase();
    await server.query('CREATE TABLE theirs (id INT PRIMARY KEY)', strange.database);
    await assert.rejects(MariadbIdempotencyStore.open({ address: strange }), (error) =>
      isKind(error, 'invalid') && error.code === 'database-not-ours');
  });
});
