/** What is peculiar to users on a MariaDB server: several servers, connections that break, how
 *  often the server is asked and what it passes over, and the key beside it. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { isKind } from '../../../base/errors.ts';
import { DEFAULT_TENANT, parseGroupId, parseUserId } from '../../../base/ids.ts';
import { ManualClock, systemClock } from '../../../platform/index.ts';
import { Session } from '../../../platform/mariadb/index.ts';
import type { NamedSql, ServerAddress, SqlValue } from '../../../platform/mariadb/index.ts';
import {
  CuttingProxy, ScratchServer, numbersTo, planOf,
} from '../../../platform/mariadb/testing/index.ts';
import { sampleToken, sampleUser } from '../../identity-store.conformance.ts';
import { Identity } from '../../identity.ts';
import { hashSecret } from '../../secrets.ts';
import { IDENTITY_MARK, NAMED_IDENTITY_SQL } from './identity-schema.ts';
import { MariadbIdentityStore } from './mariadb-identity-store.ts';
import { openSharedSealingKey } from './shared-sealing-key.ts';

const ALICE = parseUserId('alice');
const BOB = parseUserId('bob');
const CREW = parseGroupId('crew');
const REFUSE = { countMax: 10, whenFull: 'refuse' } as const;
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 };

let server: ScratchServer;
const open: { close(): Promise<void> }[] = [];
before(async () => {
  server = await ScratchServer.start();
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
after(() => server.stop());

async function openOn(address: ServerAddress, create = true): Promise<MariadbIdentityStore> {
  const store = await MariadbIdentityStore.open({ address, create });
  open.push(store);
  return store;
}

describe('A change of users on MariaDB whose connection breaks', () => {
  for (const cut of ['before-commit', 'after-commit'] as const) {
    it(`is made once, and acknowledged, when it breaks ${cut}`, async () => {
      const { database } = await server.makeDatabase();
      const proxy = await CuttingProxy.start(server.port);
      try {
        const store = await openOn(server.addressOf(database, proxy.port));
        await store.addUser(sampleUser(ALICE));
        proxy.cutNext(cut);
        const changed = await store.updateUser(ALICE, { displayName: 'changed' });
        assert.equal(proxy.cutCount, 1);
        assert.equal(changed.rev, 2, 'not made twice');
        assert.deepEqual(await store.findUser(ALICE), changed);
        await assert.rejects(store.addUser(sampleUser(ALICE)), (error) => isKind(error, 'exists'));
        for (const each of open.splice(0)) await each.close();
      } finally {
        await proxy.stop();
      }
    });
  }

  it('goes on once the server is back, with all that was acknowledged', async () => {
    const store = await openOn(await server.makeDatabase());
    await store.addUser(sampleUser(ALICE));
    await store.changeMark();
    await server.kill();
    const asked = Promise.allSettled([
      store.findUser(ALICE), store.updateUser(ALICE, { admin: true }), store.changeMark(),
    ]);
    await server.startAgain();
    for (const end of await asked) {
      if (end.status === 'fulfilled') continue;
      assert.ok(isKind(end.reason, 'unavailable'), String(end.reason));
    }
    const user = await store.updateUser(ALICE, { displayName: 'after' });
    assert.deepEqual(await store.findUser(ALICE), user);
  });

  it('is refused when nobody answers, and says so', async () => {
    const address = await server.makeDatabase();
    await assert.rejects(openOn({ ...address, port: 1 }), (error) => isKind(error, 'unavailable'));
  });
});

describe('Two servers with their users on MariaDB', () => {
  it('see with the next request that a user was disabled, left a group or changed the password',
    async () => {
      const address = await server.makeDatabase();
      const openIdentity = async (): Promise<Identity> => {
        const store = await MariadbIdentityStore.open({ address, create: true });
        const identity = await Identity.open({
          store, clock: systemClock, config: { hashCost: CHEAP },
        });
        open.push(identity);
        return identity;
      };
      const [ours, theirs] = [await openIdentity(), await openIdentity()];
      const sign = { user: 'alice', password: 'correct horse', address: '192.0.2.1' };
      await ours.users.add({ id: 'alice', password: sign.password });
      await theirs.groups.add({ id: 'crew' });
      for (let time = 0; time < 20; time += 1) {
        await ours.groups.join(CREW, ALICE);
        assert.deepEqual((await theirs.authenticateBasic(sign)).groups, [CREW]);
        await ours.groups.leave(CREW, ALICE);
        assert.deepEqual((await theirs.authenticateBasic(sign)).groups, []);
      }
      await ours.users.setDisabled(ALICE, true);
      await assert.rejects(async () => theirs.authenticateBasic(sign));
      await ours.users.setDisabled(ALICE, false);
      await theirs.authenticateBasic(sign);
      await ours.users.setPassword(ALICE, 'another horse');
      await assert.rejects(async () => theirs.authenticateBasic(sign));
      await theirs.authenticateBasic({ ...sign, password: 'another horse' });
    });

  it('take turns: no change is lost between them', async () => {
    const address = await server.makeDatabase();
    const [ours, theirs] = [await openOn(address), await openOn(address)];
    await ours.addUser(sampleUser(ALICE));
    const changes = Array.from({ length: 60 }, (_, n) =>
      (n % 2 === 0 ? ours : theirs).updateUser(ALICE, { displayName: `name ${n}` }));
    const revs = (await Promise.all(changes)).map(({ rev }) => rev).sort((a, b) => a - b);
    assert.deepEqual(revs, Array.from({ length: 60 }, (_, n) => n + 2));
  });

  it('make the tables once, when they come at once', async () => {
    const address = await server.makeDatabase();
    const stores = await Promise.all([1, 2, 3].map(() => openOn(address)));
    await Promise.all(stores.map((store, n) => store.addUser(sampleUser(parseUserId(`u${n}`)))));
    assert.equal((await stores[0]?.listUsers(9))?.length, 3);
    assert.equal((await stores[1]?.listTenants())?.length, 1);
  });
});

describe('MariadbIdentityStore asks the server', () => {
  let store: MariadbIdentityStore;
  const prepare = async (): Promise<void> => {
    store = await openOn(await server.makeDatabase());
    for (const id of [ALICE, BOB]) await store.addUser(sampleUser(id, { passwordHash: 'phc' }));
    await store.addGroup({ id: CREW, tenant: DEFAULT_TENANT, displayName: 'Crew', createdAt: 1 });
    await store.addToken(sampleToken(ALICE, 'a'), REFUSE);
  };
  const asked = async (act: () => Promise<unknown>): Promise<number> => {
    const countBefore = store.questionCount;
    await act();
    return store.questionCount - countBefore;
  };

  it('once to read', async () => {
    await prepare();
    const reads: Readonly<Record<string, () => Promise<unknown>>> = {
      findUser: () => store.findUser(ALICE), listUsers: () => store.listUsers(9),
      findToken: () => store.findToken('app-password', hashSecret('a')),
      listTokens: () => store.listTokens(ALICE, 'app-password'),
      listGroupsOf: () => store.listGroupsOf(ALICE), listGroupsAt: () => store.listGroupsAt(BOB, 5),
      findSecondFactor: () => store.findSecondFactor(ALICE), findFlow: () => store.findFlow('x', 1),
      listTenants: () => store.listTenants(), listMembers: () => store.listMembers(CREW, 9),
      'takeFlow, not granted': () => store.takeFlow('x', 1, { hash: 'h', id: 'i', countMax: 1 }),
      changeMark: async () => store.changeMark(),
    };
    for (const [name, read] of Object.entries(reads)) assert.equal(await asked(read), 1, name);
  });

  it('once for the mark of many requests that come together, not before them', async () => {
    await prepare();
    const together = (): Promise<number[]> =>
      Promise.all(Array.from({ length: 500 }, async () => store.changeMark()));
    let marks: number[] = [];
    assert.equal(await asked(async () => {
      marks = await together();
    }), 1);
    assert.equal(new Set(marks).size, 1);
    const early = store.changeMark(); // Under way while the change is made.
    await store.updateUser(ALICE, { admin: true });
    assert.ok(await store.changeMark() > (marks[0] ?? 0));
    assert.ok(await early >= (marks[0] ?? 0));
  });

  it('once for all marks of a time, where they may be that old, and sees its own changes at once',
    async () => {
      const address = await server.makeDatabase();
      const clock = new ManualClock(1000);
      store = await MariadbIdentityStore.open({ address, create: true, clock, markAgeMs: 500 });
      open.push(store);
      const other = await openOn(address);
      await store.addUser(sampleUser(ALICE));
      const mark = await store.changeMark();
      await other.updateUser(ALICE, { admin: true });
      clock.advance(499);
      assert.equal(store.changeMark(), mark, 'without a question');
      clock.advance(1);
      const second = await store.changeMark();
      assert.ok(second > mark);
      const early = store.addUser(sampleUser(BOB));
      await Promise.all([store.changeMark(), early]);
      assert.ok(await store.changeMark() > second);
    });

  it('as often for many uses, codes and members as for few', async () => {
    await prepare();
    await store.addGroup({
      id: parseGroupId('big'), tenant: DEFAULT_TENANT, displayName: 'b', createdAt: 1,
    });
    const touches = (count: number) => Array.from({ length: count }, (_, n) =>
      ({ hash: hashSecret(n === 0 ? 'a' : `${n}`), usedAt: 2000 + count, expiresAt: undefined }));
    assert.equal(await asked(() => store.touchTokens(touches(10))), 3);
    assert.equal(await asked(() => store.touchTokens(touches(1000))), 3);
    const token = await store.findToken('app-password', hashSecret('a'));
    assert.deepEqual([token?.usedAt, token?.expiresAt], [3000, undefined]);
    const hashes = Array.from({ length: 10 }, (_, n) => hashSecret(`code ${n}`));
    await store.putSecondFactorDraft({ user: ALICE, secret: 's', createdAt: 1 });
    assert.equal(await asked(() => store.turnOnSecondFactor(ALICE, {
      secret: 's', step: 1, at: 2, recoveryHashes: hashes, keepSession: undefined,
    })), 10);
    assert.equal((await store.findSecondFactor(ALICE))?.recoveryCodesLeft, 10);
    const remove = (group: string) => asked(() => store.removeGroup(parseGroupId(group), 9));
    await store.joinGroup(CREW, BOB, 3);
    assert.equal(await remove('crew'), 8);
    for (const id of [ALICE, BOB]) await store.joinGroup(parseGroupId('big'), id, 3);
    assert.equal(await remove('big'), 8);
    assert.equal((await store.findUser(BOB))?.groupsRev, 4);
  });

  it('a stated number of times to write, and leaves no turn behind when nothing changed',
    async () => {
      await prepare();
      const writes: readonly (readonly [string, number, () => Promise<unknown>])[] = [
        ['updateUser', 4, () => store.updateUser(ALICE, { admin: true })],
        ['addToken', 5, () => store.addToken(sampleToken(ALICE, 's', 'session'), REFUSE)],
        ['deleteToken', 4, () => store.deleteToken(ALICE, 'session', 's')],
        ['joinGroup', 8, () => store.joinGroup(CREW, ALICE, 2)],
        ['leaveGroup', 6, () => store.leaveGroup(CREW, ALICE, 3)],
        ['sweep', 5, () => store.sweep(0)],
      ];
      for (const [name, count, write] of writes) assert.equal(await asked(write), count, name);
      const mark = await store.changeMark();
      await store.sweep(0);
      await assert.rejects(store.addUser(sampleUser(ALICE)));
      assert.equal(await store.changeMark(), mark);
    });
});

describe('The statements on identity tables', () => {
  const LARGE = new Set(['users', 'tokens', 'memberships', 'past_memberships', 'recovery_codes']);
  /** Sorted by their key from a place on, a page at a time. */
  const PAGED = new Set(['listUsers']);

  const fill = async (address: ServerAddress): Promise<void> => {
    await server.query(`INSERT INTO users (id, tenant, display_name, is_admin, is_disabled,
      created_at, rev, groups_rev, has_second_factor) SELECT CONCAT('u', seq),
      IF(seq % 4 = 0, 'acme', 'default'), 'n', 0, 0, 1, 1, 0, 0 FROM ${numbersTo(2_000)}`,
    address.database);
    await server.query(`INSERT INTO tokens (token_hash, id, kind, user_id, device, created_at,
      expires_at) SELECT SHA2(seq, 256), seq, 'session', CONCAT('u', seq % 700), 'd', 1, seq
      FROM ${numbersTo(4_000)}`, address.database);
    await server.query(`INSERT INTO memberships (group_id, user_id, joined_at)
      SELECT CONCAT('g', seq % 41), CONCAT('u', seq % 1000), 1 FROM ${numbersTo(2_000)}`,
    address.database);
    await server.query(`INSERT INTO past_memberships (user_id, group_id, joined_at, left_at)
      SELECT CONCAT('u', seq % 1000), CONCAT('g', seq % 40), 1, seq FROM ${numbersTo(4_000)}`,
    address.database);
    await server.query(`INSERT INTO recovery_codes (user_id, code_hash)
      SELECT CONCAT('u', seq % 300), SHA2(seq, 256) FROM ${numbersTo(3_000)}`, address.database);
    for (const table of LARGE) await server.query(`ANALYZE TABLE ${table}`, address.database);
  };

  /** Of the kind that stands at a place. */
  const samples = ({ text, slots }: NamedSql): SqlValue[] => {
    const parts = text.split('?').slice(0, slots.length);
    return parts.map((before) => {
      if (before.endsWith('JSON_TABLE(')) return '[[1,1,"u1"],["u1",1,"u1"]]';
      const isNumber = /(_at|_on|limit|offset|place|step|rev|factor|is_\w+)\W*[=<>]*\s*$/i;
      return isNumber.test(before) ? 5 : 'u1';
    });
  };

  it('never pass over a large table from end to end', async () => {
    const address = await server.makeDatabase();
    await openOn(address);
    await fill(address);
    const session = await Session.open(address, 'schema'); // May say EXPLAIN.
    const found: string[] = [];
    let count = 0;
    const all = [...NAMED_IDENTITY_SQL.values()].flatMap(({ one, many }) =>
      (many === undefined ? [one] : [one, many]));
    for (const statement of [...all, IDENTITY_MARK]) {
      const { name, text } = statement;
      if (/\*\/ INSERT INTO \w+ \([^)]*\) VALUES/.test(text) || PAGED.has(name)) continue;
      count += 1;
      for (const { table: alias, type } of await planOf(session, text, samples(statement))) {
        const table = new RegExp(`\\b(?:FROM|JOIN)\\s+(\\w+) ${alias}\\b`).exec(text)?.[1];
        const isScan = type === 'ALL' || type === 'index';
        if (isScan && LARGE.has(table ?? alias)) found.push(`${name}: ${type}`);
      }
    }
    await session.end();
    assert.deepEqual(found, []);
    assert.ok(count > 40, `${count} statements were looked at`);
  });
});

describe('The sealing key of several servers', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-key-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  const keyFile = (name: string): string => join(root, name);

  it('is made by the first, and has to be the same for all others', async () => {
    const store = await openOn(await server.makeDatabase());
    const key = await openSharedSealingKey(store, keyFile('first'));
    assert.deepEqual(await openSharedSealingKey(store, keyFile('first')), key);
    await assert.rejects(openSharedSealingKey(store, keyFile('second')), (error) =>
      isKind(error, 'invalid') && error.code === 'sealing-key-missing');
    assert.equal(existsSync(keyFile('second')), false, 'nothing is made that would be wrong');
    writeFileSync(keyFile('second'), new Uint8Array(32));
    await assert.rejects(openSharedSealingKey(store, keyFile('second')), (error) =>
      isKind(error, 'invalid') && error.code === 'sealing-key-other');
    writeFileSync(keyFile('second'), 'no key');
    await assert.rejects(openSharedSealingKey(store, keyFile('second')), (error) =>
      isKind(error, 'corrupt'));
    writeFileSync(keyFile('second'), key);
    assert.deepEqual(await openSharedSealingKey(store, keyFile('second')), key);
  });

  it('is that of one, when several start at once', async () => {
    const address = await server.makeDatabase();
    const stores = await Promise.all([1, 2, 3, 4].map(() => openOn(address)));
    const ends = await Promise.allSettled(stores.map((store, n) =>
      openSharedSealingKey(store, keyFile(`at once ${n}`))));
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1);
    const files = stores.map((_, n) => existsSync(keyFile(`at once ${n}`)));
    assert.equal(files.filter(Boolean).length, 1);
  });
});

describe('MariadbIdentityStore, on opening', () => {
  it('refuses tables that are lost, those of a newer version, and another program\'s database',
    async () => {
      const address = await server.makeDatabase();
      await assert.rejects(openOn(address, false), (error) =>
        isKind(error, 'not-found') && error.code === 'identity-missing');
      await openOn(address);
      await server.query('UPDATE identity_meta SET value = 99 WHERE name = \'format\'',
        address.database);
      await assert.rejects(openOn(address), (error) =>
        isKind(error, 'invalid') && error.code === 'format-newer');
      const strange = await server.makeDatabase();
      await server.query('CREATE TABLE theirs (id INT PRIMARY KEY)', strange.database);
      await assert.rejects(openOn(strange), (error) =>
        isKind(error, 'invalid') && error.code === 'database-not-ours');
    });
});
