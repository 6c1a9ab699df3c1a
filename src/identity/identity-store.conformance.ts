import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isKind, type ErrorKind } from '../base/errors.ts';
import {
  DEFAULT_TENANT, parseGroupId, parseTenantId, parseUserId, type GroupId, type TenantId,
  type UserId,
} from '../base/ids.ts';
import {
  GROUPS_PER_USER_MAX, PAST_MEMBERSHIPS_PER_USER_MAX, TENANTS_MAX,
} from './identity-store.ts';
import type { AddTokenOptions, IdentityStore } from './identity-store.ts';
import type {
  FlowRecord, GroupRecord, NewUserRecord, TenantRecord, TokenKind, TokenRecord, UserRecord,
} from './records.ts';
import { testSecondFactors } from './second-factor-store.conformance.ts';
import { hashSecret } from './secrets.ts';

/** Two stores open on the same, empty data, as the server and the command line would have it. */
export interface StorePair {
  store: IdentityStore;
  other: IdentityStore;
}

const ALICE = parseUserId('alice');
const BOB = parseUserId('bob');
/** Far more than pass until what another process did must be seen. */
const LOOKS_MAX = 1_000_000;
const REFUSE: AddTokenOptions = { countMax: 10, whenFull: 'refuse' };

export function sampleUser(id: UserId, changes: Partial<NewUserRecord> = {}): NewUserRecord {
  return {
    id, tenant: DEFAULT_TENANT, displayName: `Name of ${id}`, admin: false, disabled: false,
    passwordHash: undefined, email: undefined, createdAt: 1000, ...changes,
  };
}

export function sampleToken(
  user: UserId, id: string, kind: TokenKind = 'app-password', createdAt = 1000,
): TokenRecord {
  return {
    hash: hashSecret(id), id, kind, user, device: `device ${id}`, createdAt,
    usedAt: undefined, expiresAt: kind === 'session' ? createdAt + 500 : undefined,
  };
}

function sampleFlow(name: string, createdAt = 1000): FlowRecord {
  return {
    pollHash: hashSecret(`poll ${name}`), flowHash: hashSecret(`flow ${name}`),
    device: `device ${name}`, user: undefined, createdAt, expiresAt: createdAt + 500,
  };
}

async function refuses(promise: Promise<unknown>, kind: ErrorKind): Promise<void> {
  await assert.rejects(promise, (error) => isKind(error, kind));
}

/** The promises of IdentityStore. Every implementation runs them. */
export function testIdentityStore(name: string, openEmpty: () => Promise<StorePair>): void {
  describe(`${name} keeps the promises of IdentityStore`, () => {
    let store: IdentityStore;
    let other: IdentityStore;
    beforeEach(async () => {
      ({ store, other } = await openEmpty());
    });
    afterEach(async () => {
      await store.close();
      await other.close();
    });
    const stores = (): StorePair => ({ store, other });
    describe('users', () => testUsers(stores));
    describe('groups', () => testGroups(stores));
    describe('tenants', () => testTenants(stores));
    describe('past of groups', () => testPastOfGroups(stores));
    describe('tokens', () => testTokens(stores));
    describe('setup link', () => testSetupLink(stores));
    describe('login flows', () => testFlows(stores));
    describe('second factors', () => testSecondFactors(stores));
    describe('change mark', () => testChangeMark(stores));

    it('refuses everything once closed, and closes twice calmly', async () => {
      await store.close();
      await store.close();
      await refuses(store.findUser(ALICE), 'unavailable');
      await refuses(store.addUser(sampleUser(ALICE)), 'unavailable');
      await refuses((async () => store.changeMark())(), 'unavailable');
    });
  });
}

function testUsers(stores: () => StorePair): void {
  it('finds a user as it was added, with rev 1', async () => {
    const { store, other } = stores();
    const user = sampleUser(ALICE, {
      admin: true, passwordHash: 'phc', displayName: 'Å 🦊', email: 'a@b.example',
    });
    const wanted: UserRecord = { ...user, rev: 1, groupsRev: 0, hasSecondFactor: false };
    assert.deepEqual(await store.addUser(user), wanted);
    assert.deepEqual(await other.findUser(ALICE), wanted);
    assert.equal(await store.findUser(BOB), undefined);
  });

  it('refuses a second user of the same id, and keeps the first', async () => {
    const { store, other } = stores();
    await store.addUser(sampleUser(ALICE, { displayName: 'first' }));
    await refuses(other.addUser(sampleUser(ALICE, { displayName: 'second' })), 'exists');
    assert.equal((await store.findUser(ALICE))?.displayName, 'first');
  });

  it('adds one of two users of the same id that come at once', async () => {
    const { store, other } = stores();
    const adds = [store, other].map((each) => each.addUser(sampleUser(ALICE)));
    const ends = await Promise.allSettled(adds);
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('lists users in ascending order of id, in pages', async () => {
    const { store } = stores();
    const ids = ['bob', 'alice', 'b@x', '7up', 'bob-2', 'zoe'].map(parseUserId);
    for (const id of ids) await store.addUser(sampleUser(id));
    const sorted = [...ids].sort();
    assert.deepEqual((await store.listUsers(100)).map(({ id }) => id), sorted);
    assert.deepEqual((await store.listUsers(2)).map(({ id }) => id), sorted.slice(0, 2));
    const page = await store.listUsers(2, sorted[1]);
    assert.deepEqual(page.map(({ id }) => id), sorted.slice(2, 4));
    assert.deepEqual(await store.listUsers(2, sorted.at(-1)), []);
  });

  it('changes only what the patch names, and raises rev', async () => {
    const { store, other } = stores();
    const user = sampleUser(ALICE, { passwordHash: 'phc', admin: true });
    await store.addUser(user);
    const wanted = {
      ...user, disabled: true, rev: 2, groupsRev: 0, hasSecondFactor: false,
    };
    assert.deepEqual(await store.updateUser(ALICE, { disabled: true }), wanted);
    assert.deepEqual(await other.findUser(ALICE), wanted);
    const without = await store.updateUser(ALICE, { passwordHash: undefined });
    assert.deepEqual(without, { ...wanted, passwordHash: undefined, rev: 3 });
    for (const [email, rev] of [['a@b.example', 4], [undefined, 5]] as const) {
      await store.updateUser(ALICE, { email });
      assert.deepEqual(await other.findUser(ALICE), { ...without, email, rev });
    }
    await refuses(store.updateUser(BOB, { admin: true }), 'not-found');
  });

  it('replaces a password only if it is still the expected one', async () => {
    const { store, other } = stores();
    await store.addUser(sampleUser(ALICE, { passwordHash: 'one' }));
    await other.updateUser(ALICE, { passwordHash: 'two' });
    const late = store.updateUser(ALICE, { passwordHash: 'three' }, { ifPasswordHash: 'one' });
    await refuses(late, 'precondition');
    assert.equal((await store.findUser(ALICE))?.passwordHash, 'two');
    await store.updateUser(ALICE, { passwordHash: 'three' }, { ifPasswordHash: 'two' });
    assert.equal((await other.findUser(ALICE))?.passwordHash, 'three');
  });

  it('ends the sessions and grants of that user alone, and keeps app passwords', async () => {
    const { store, other } = stores();
    for (const id of [ALICE, BOB]) {
      await store.addUser(sampleUser(id));
      await store.addToken(sampleToken(id, `session ${id}`, 'session'), REFUSE);
      await store.addToken(sampleToken(id, `app ${id}`), REFUSE);
      await store.addFlow(sampleFlow(id), 10);
      await store.grantFlow(sampleFlow(id).flowHash, id, 1001);
    }
    await other.updateUser(ALICE, { disabled: true }, { endSessions: true });
    assert.deepEqual(await store.listTokens(ALICE, 'session'), []);
    assert.equal((await store.listTokens(ALICE, 'app-password')).length, 1);
    assert.equal((await store.listTokens(BOB, 'session')).length, 1);
    assert.equal(await store.findFlow(sampleFlow(ALICE).flowHash, 1001), undefined);
    assert.notEqual(await store.findFlow(sampleFlow(BOB).flowHash, 1001), undefined);
  });
}

function sampleGroup(id: GroupId): GroupRecord {
  return { id, tenant: DEFAULT_TENANT, displayName: `Group ${id}`, createdAt: 1000 };
}

function testGroups(stores: () => StorePair): void {
  const CREW = parseGroupId('crew');
  const BOARD = parseGroupId('board');
  const revsOf = async (id: UserId): Promise<(number | undefined)[]> => {
    const user = await stores().other.findUser(id);
    return [user?.rev, user?.groupsRev];
  };
  beforeEach(async () => {
    const { store } = stores();
    for (const id of [ALICE, BOB]) await store.addUser(sampleUser(id));
    for (const id of [CREW, BOARD]) await store.addGroup(sampleGroup(id));
  });

  it('finds and lists groups in ascending order of id, in pages', async () => {
    const { store, other } = stores();
    assert.deepEqual(await other.findGroup(CREW), sampleGroup(CREW));
    assert.equal(await store.findGroup(parseGroupId('none')), undefined);
    assert.deepEqual((await store.listGroups(9)).map(({ id }) => id), [BOARD, CREW]);
    assert.deepEqual((await store.listGroups(1)).map(({ id }) => id), [BOARD]);
    assert.deepEqual((await store.listGroups(9, BOARD)).map(({ id }) => id), [CREW]);
    await refuses(store.addGroup(sampleGroup(CREW)), 'exists');
  });

  it('raises both revs of whoever joins or leaves, and of nobody else', async () => {
    const { store, other } = stores();
    assert.equal(await store.joinGroup(CREW, ALICE, 1000), true);
    assert.deepEqual(await revsOf(ALICE), [2, 1]);
    assert.equal(await other.joinGroup(CREW, ALICE, 1000), false, 'is in it already');
    assert.deepEqual(await revsOf(ALICE), [2, 1]);
    assert.equal(await other.leaveGroup(CREW, ALICE, 1000), true);
    assert.equal(await store.leaveGroup(CREW, ALICE, 1000), false);
    assert.deepEqual(await revsOf(ALICE), [3, 2]);
    assert.deepEqual(await revsOf(BOB), [1, 0]);
  });

  it('lists members in pages, and the groups of a user', async () => {
    const { store } = stores();
    await store.joinGroup(CREW, BOB, 1000);
    await store.joinGroup(CREW, ALICE, 1000);
    await store.joinGroup(BOARD, BOB, 1000);
    assert.deepEqual(await store.listMembers(CREW, 9), [ALICE, BOB]);
    assert.deepEqual(await store.listMembers(CREW, 1), [ALICE]);
    assert.deepEqual(await store.listMembers(CREW, 9, ALICE), [BOB]);
    assert.deepEqual(await store.listGroupsOf(BOB), [BOARD, CREW]);
    assert.deepEqual(await store.listGroupsOf(parseUserId('eve')), []);
  });

  it('takes nobody who is not there into no group that is not there', async () => {
    const { store } = stores();
    await refuses(store.joinGroup(CREW, parseUserId('eve'), 1000), 'not-found');
    await refuses(store.joinGroup(parseGroupId('none'), ALICE, 1000), 'not-found');
    assert.deepEqual(await revsOf(ALICE), [1, 0]);
  });

  it('removes a group with its memberships, and never gives its id out again', async () => {
    const { store, other } = stores();
    await store.joinGroup(CREW, ALICE, 1000);
    await store.joinGroup(BOARD, ALICE, 1000);
    assert.equal(await other.removeGroup(CREW, 1000), true);
    assert.equal(await store.removeGroup(CREW, 1000), false);
    assert.deepEqual(await revsOf(ALICE), [4, 3]);
    assert.deepEqual(await store.listGroupsOf(ALICE), [BOARD]);
    assert.deepEqual(await store.listMembers(CREW, 9), []);
    assert.equal(await store.findGroup(CREW), undefined);
    assert.deepEqual((await store.listGroups(9)).map(({ id }) => id), [BOARD]);
    await refuses(store.addGroup(sampleGroup(CREW)), 'exists');
    await refuses(store.joinGroup(CREW, ALICE, 1000), 'not-found');
  });

  it('keeps to the number of groups of one user', async () => {
    const { store } = stores();
    for (let n = 0; n < GROUPS_PER_USER_MAX; n += 1) {
      const id = parseGroupId(`g${n}`);
      await store.addGroup(sampleGroup(id));
      await store.joinGroup(id, ALICE, 1000);
    }
    await refuses(store.joinGroup(CREW, ALICE, 1000), 'too-large');
    assert.equal(await store.joinGroup(CREW, BOB, 1000), true);
  });
}

function sampleTenant(id: TenantId): TenantRecord {
  return { id, title: `Tenant ${id}`, policy: 'cold', createdAt: 1000 };
}

function testTenants(stores: () => StorePair): void {
  const ACME = parseTenantId('acme');
  const CREW = parseGroupId('crew');

  it('has the default tenant from the beginning', async () => {
    const { store } = stores();
    assert.deepEqual(await store.listTenants(), [await store.findTenant(DEFAULT_TENANT)]);
    const { id, policy } = await store.findTenant(DEFAULT_TENANT) ?? {};
    assert.deepEqual([id, policy], [DEFAULT_TENANT, 'default']);
    await refuses(store.addTenant(sampleTenant(DEFAULT_TENANT)), 'exists');
  });

  it('finds tenants as they were added, and lists them in ascending order of id', async () => {
    const { store, other } = stores();
    for (const id of ['zeta', 'acme'].map(parseTenantId)) await store.addTenant(sampleTenant(id));
    assert.deepEqual(await other.findTenant(ACME), sampleTenant(ACME));
    assert.deepEqual((await other.listTenants()).map(({ id }) => id), ['acme', 'default', 'zeta']);
    await refuses(other.addTenant(sampleTenant(ACME)), 'exists');
    assert.equal(await store.findTenant(parseTenantId('none')), undefined);
  });

  it('keeps to the number of tenants', async () => {
    const { store } = stores();
    for (let n = 1; n < TENANTS_MAX; n += 1) {
      await store.addTenant(sampleTenant(parseTenantId(`t${n}`)));
    }
    await refuses(store.addTenant(sampleTenant(ACME)), 'too-large');
    assert.equal((await store.listTenants()).length, TENANTS_MAX);
  });

  it('takes no user and no group of a tenant that is not there', async () => {
    const { store, other } = stores();
    await refuses(store.addUser(sampleUser(ALICE, { tenant: ACME })), 'not-found');
    await refuses(store.addGroup({ ...sampleGroup(CREW), tenant: ACME }), 'not-found');
    assert.equal(await store.findUser(ALICE), undefined);
    assert.equal(await store.findGroup(CREW), undefined);
    await other.addTenant(sampleTenant(ACME));
    await store.addUser(sampleUser(ALICE, { tenant: ACME }));
    await store.addGroup({ ...sampleGroup(CREW), tenant: ACME });
    assert.equal((await other.findUser(ALICE))?.tenant, ACME);
    assert.equal((await other.findGroup(CREW))?.tenant, ACME);
    assert.deepEqual((await other.listGroups(9)).map(({ tenant }) => tenant), [ACME]);
    await store.addUser(sampleUser(BOB));
    await store.addGroup(sampleGroup(parseGroupId('board')));
    for (const [tenant, user, group] of [
      [ACME, ALICE, CREW], [DEFAULT_TENANT, BOB, 'board'],
    ] as const) {
      const users = await other.listUsers(9, undefined, tenant);
      assert.deepEqual(users.map(({ id }) => id), [user]);
      const groups = await other.listGroups(9, undefined, tenant);
      assert.deepEqual(groups.map(({ id }) => id), [group]);
    }
    assert.deepEqual(await other.listUsers(9, ALICE, ACME), []);
  });

  it('takes no user of another tenant into a group', async () => {
    const { store } = stores();
    await store.addTenant(sampleTenant(ACME));
    await store.addUser(sampleUser(ALICE, { tenant: ACME }));
    await store.addUser(sampleUser(BOB));
    await store.addGroup({ ...sampleGroup(CREW), tenant: ACME });
    await refuses(store.joinGroup(CREW, BOB, 1000), 'denied');
    assert.deepEqual(await store.listMembers(CREW, 9), []);
    assert.equal((await store.findUser(BOB))?.groupsRev, 0);
    assert.equal(await store.joinGroup(CREW, ALICE, 1000), true);
  });
}

function testPastOfGroups(stores: () => StorePair): void {
  const CREW = parseGroupId('crew');
  const BOARD = parseGroupId('board');
  const at = async (user: UserId, ...instants: number[]): Promise<GroupId[][]> => (
    Promise.all(instants.map((instant) => stores().other.listGroupsAt(user, instant))));
  beforeEach(async () => {
    const { store } = stores();
    for (const id of [ALICE, BOB]) await store.addUser(sampleUser(id));
    for (const id of [CREW, BOARD]) await store.addGroup(sampleGroup(id));
  });

  it('tells of any moment which groups a user was in', async () => {
    const { store } = stores();
    await store.joinGroup(CREW, ALICE, 2000);
    await store.joinGroup(BOARD, ALICE, 3000);
    await store.joinGroup(CREW, BOB, 2500);
    assert.equal(await store.joinGroup(CREW, ALICE, 3500), false);
    await store.leaveGroup(CREW, ALICE, 4000);
    assert.equal(await store.leaveGroup(CREW, ALICE, 4500), false);
    await store.joinGroup(CREW, ALICE, 5000);
    assert.deepEqual(await at(ALICE, 1999, 2000, 3000, 3999, 4000, 4999, 5000), [
      [], [CREW], [BOARD, CREW], [BOARD, CREW], [BOARD], [BOARD], [BOARD, CREW],
    ]);
    assert.deepEqual(await at(BOB, 2499, 2500, 9000), [[], [CREW], [CREW]]);
  });

  it('tells of a group that was removed since, too', async () => {
    const { store } = stores();
    await store.joinGroup(CREW, ALICE, 2000);
    await store.joinGroup(CREW, BOB, 2500);
    await store.removeGroup(CREW, 3000);
    assert.deepEqual(await at(ALICE, 2200, 2999, 3000), [[CREW], [CREW], []]);
    assert.deepEqual(await at(BOB, 2200, 2999, 3000), [[], [CREW], []]);
  });

  it('keeps the memberships that ended last, of each user', async () => {
    const { store } = stores();
    await store.joinGroup(BOARD, BOB, 1);
    await store.leaveGroup(BOARD, BOB, 2);
    for (let n = 0; n <= PAST_MEMBERSHIPS_PER_USER_MAX; n += 1) {
      await store.joinGroup(CREW, ALICE, 10 * n);
      await store.leaveGroup(CREW, ALICE, 10 * n + 5);
    }
    const last = 10 * PAST_MEMBERSHIPS_PER_USER_MAX;
    assert.deepEqual(await at(ALICE, 0, 10, 20, last, last + 5), [[], [CREW], [CREW], [CREW], []]);
    assert.deepEqual(await at(BOB, 1), [[BOARD]]);
  });
}

function testTokens(stores: () => StorePair): void {
  beforeEach(async () => {
    await stores().store.addUser(sampleUser(ALICE));
    await stores().store.addUser(sampleUser(BOB));
  });

  it('finds a token by kind and hash', async () => {
    const { store, other } = stores();
    const token = { ...sampleToken(ALICE, 'a', 'session'), usedAt: 1100 };
    await store.addToken(token, REFUSE);
    assert.deepEqual(await other.findToken('session', token.hash), token);
    assert.equal(await store.findToken('app-password', token.hash), undefined);
    assert.equal(await store.findToken('session', hashSecret('b')), undefined);
  });

  it('keeps what an API token may be used for', async () => {
    const { store, other } = stores();
    const scopes = ['files:read', 'sharing'] as const;
    const token: TokenRecord = { ...sampleToken(ALICE, 'a', 'api-token'), scopes };
    await store.addToken(token, REFUSE);
    await store.touchTokens([{ hash: token.hash, usedAt: 1200, expiresAt: undefined }]);
    assert.deepEqual(await other.listTokens(ALICE, 'api-token'), [{ ...token, usedAt: 1200 }]);
    assert.equal(await other.findToken('app-password', token.hash), undefined);
  });

  it('lists tokens of one user and kind, oldest first', async () => {
    const { store } = stores();
    await store.addToken(sampleToken(ALICE, 'x', 'app-password', 3000), REFUSE);
    await store.addToken(sampleToken(ALICE, 'z', 'app-password', 2000), REFUSE);
    await store.addToken(sampleToken(ALICE, 'y', 'app-password', 2000), REFUSE);
    await store.addToken(sampleToken(ALICE, 's', 'session'), REFUSE);
    await store.addToken(sampleToken(BOB, 'b'), REFUSE);
    const tokens = await store.listTokens(ALICE, 'app-password');
    assert.deepEqual(tokens.map(({ id }) => id), ['y', 'z', 'x']);
  });

  it('adds no token for a user who is not there or has changed', async () => {
    const { store, other } = stores();
    await refuses(store.addToken(sampleToken(parseUserId('eve'), 'e'), REFUSE), 'not-found');
    await other.updateUser(ALICE, { passwordHash: 'new' });
    const late = store.addToken(sampleToken(ALICE, 'a'), { ...REFUSE, ifUserRev: 1 });
    await refuses(late, 'precondition');
    await store.addToken(sampleToken(ALICE, 'a'), { ...REFUSE, ifUserRev: 2 });
    assert.equal((await store.listTokens(ALICE, 'app-password')).length, 1);
  });

  it('keeps to the number of tokens: refuses one more, or drops the oldest', async () => {
    const { store } = stores();
    const options: AddTokenOptions = { countMax: 2, whenFull: 'refuse' };
    await store.addToken(sampleToken(ALICE, 'a', 'app-password', 1), options);
    await store.addToken(sampleToken(ALICE, 'b', 'app-password', 2), options);
    await store.addToken(sampleToken(BOB, 'c', 'app-password', 3), options);
    await refuses(store.addToken(sampleToken(ALICE, 'd', 'app-password', 4), options), 'too-large');
    const revBefore = (await store.findUser(ALICE))?.rev ?? 0;
    const drop: AddTokenOptions = { countMax: 2, whenFull: 'drop-oldest', ifUserRev: revBefore };
    await store.addToken(sampleToken(ALICE, 'e', 'app-password', 5), drop);
    const tokens = await store.listTokens(ALICE, 'app-password');
    assert.deepEqual(tokens.map(({ id }) => id), ['b', 'e']);
    assert.ok(((await store.findUser(ALICE))?.rev ?? 0) > revBefore, 'a token was lost');
  });

  it('notes uses, and passes over tokens that are gone', async () => {
    const { store, other } = stores();
    const token = sampleToken(ALICE, 'a', 'session');
    await store.addToken(token, REFUSE);
    await store.touchTokens([
      { hash: hashSecret('gone'), usedAt: 7, expiresAt: undefined },
      { hash: token.hash, usedAt: 1200, expiresAt: 1700 },
    ]);
    const touched = await other.findToken('session', token.hash);
    assert.deepEqual(touched, { ...token, usedAt: 1200, expiresAt: 1700 });
    assert.equal(await store.findToken('session', hashSecret('gone')), undefined);
  });

  it('deletes a token of its owner and kind only, and raises rev', async () => {
    const { store, other } = stores();
    await store.addToken(sampleToken(ALICE, 'a'), REFUSE);
    assert.equal(await other.deleteToken(BOB, 'app-password', 'a'), false);
    assert.equal(await other.deleteToken(ALICE, 'session', 'a'), false);
    assert.equal((await store.findUser(ALICE))?.rev, 1);
    assert.equal(await other.deleteToken(ALICE, 'app-password', 'a'), true);
    assert.equal(await other.deleteToken(ALICE, 'app-password', 'a'), false);
    assert.deepEqual(await store.listTokens(ALICE, 'app-password'), []);
    assert.equal((await store.findUser(ALICE))?.rev, 2);
  });

  it('sweeps what is expired and nothing else', async () => {
    const { store } = stores();
    await store.addToken(sampleToken(ALICE, 'old', 'session', 1000), REFUSE);
    await store.addToken(sampleToken(ALICE, 'new', 'session', 1001), REFUSE);
    await store.addToken(sampleToken(ALICE, 'app'), REFUSE);
    await store.addFlow(sampleFlow('old', 1000), 10);
    await store.addFlow(sampleFlow('new', 1001), 10);
    await store.sweep(1500);
    assert.deepEqual((await store.listTokens(ALICE, 'session')).map(({ id }) => id), ['new']);
    assert.equal((await store.listTokens(ALICE, 'app-password')).length, 1);
    assert.equal(await store.findFlow(sampleFlow('old', 1000).flowHash, 0), undefined);
    assert.notEqual(await store.findFlow(sampleFlow('new', 1001).flowHash, 0), undefined);
  });
}

function testSetupLink(stores: () => StorePair): void {
  const link = { hash: hashSecret('link'), expiresAt: 2000 };
  const admin = (id: UserId) => sampleUser(id, { admin: true, passwordHash: 'phc' });

  it('keeps one link, the newest, until it expires', async () => {
    const { store, other } = stores();
    assert.equal(await store.putSetupLink({ ...link, hash: hashSecret('older') }), true);
    assert.equal(await other.putSetupLink(link), true);
    assert.deepEqual(await store.findSetupLink(1999), link);
    assert.equal(await store.findSetupLink(2000), undefined);
    await store.sweep(2000);
    assert.equal(await store.findSetupLink(0), undefined);
  });

  it('makes no link only while an enabled administrator has a password', async () => {
    const { store } = stores();
    await store.addUser(sampleUser(BOB, { passwordHash: 'phc' }));
    await store.addUser(sampleUser(ALICE, { admin: true }));
    assert.equal(await store.putSetupLink(link), true, 'nobody can sign in as administrator');
    await store.updateUser(ALICE, { passwordHash: 'phc' });
    assert.equal(await store.putSetupLink(link), false);
    await store.updateUser(ALICE, { disabled: true });
    assert.equal(await store.putSetupLink(link), true);
  });

  it('redeems a link once', async () => {
    const { store, other } = stores();
    await store.putSetupLink(link);
    const wrong = await store.redeemSetupLink(hashSecret('guess'), 1500, admin(ALICE));
    assert.equal(wrong, undefined);
    assert.equal(await store.redeemSetupLink(link.hash, 2000, admin(ALICE)), undefined);
    const added = await other.redeemSetupLink(link.hash, 1500, admin(ALICE));
    assert.deepEqual(added, { ...admin(ALICE), rev: 1, groupsRev: 0, hasSecondFactor: false });
    assert.equal(await store.redeemSetupLink(link.hash, 1500, admin(BOB)), undefined);
    assert.deepEqual((await store.listUsers(10)).map(({ id }) => id), [ALICE]);
    assert.equal(await store.findSetupLink(1500), undefined);
  });

  it('redeems a link for one of two that come at once', async () => {
    const { store, other } = stores();
    await store.putSetupLink(link);
    const ends = await Promise.all([
      store.redeemSetupLink(link.hash, 1500, admin(ALICE)),
      other.redeemSetupLink(link.hash, 1500, admin(BOB)),
    ]);
    assert.equal(ends.filter((end) => end !== undefined).length, 1);
    assert.equal((await store.listUsers(10)).length, 1);
  });

  it('voids a link when an administrator came by another way', async () => {
    const { store, other } = stores();
    await store.putSetupLink(link);
    await other.addUser(admin(ALICE));
    assert.equal(await store.redeemSetupLink(link.hash, 1500, admin(BOB)), undefined);
  });

  it('leaves the link usable when the name is taken', async () => {
    const { store } = stores();
    await store.addUser(sampleUser(ALICE));
    await store.putSetupLink(link);
    await refuses(store.redeemSetupLink(link.hash, 1500, admin(ALICE)), 'exists');
    assert.notEqual(await store.redeemSetupLink(link.hash, 1500, admin(BOB)), undefined);
  });
}

function testFlows(stores: () => StorePair): void {
  const flow = sampleFlow('one');
  const draft = { hash: hashSecret('app'), id: 'app', countMax: 10 };
  beforeEach(async () => {
    await stores().store.addUser(sampleUser(ALICE));
  });

  it('gives a granted flow to the first taker only', async () => {
    const { store, other } = stores();
    await store.addFlow(flow, 10);
    assert.deepEqual(await other.findFlow(flow.flowHash, 1499), flow);
    assert.equal(await store.takeFlow(flow.pollHash, 1100, draft), undefined, 'not granted yet');
    assert.equal(await other.grantFlow(flow.flowHash, ALICE, 1200), true);
    assert.equal((await store.findFlow(flow.flowHash, 1200))?.user, ALICE);
    const ends = await Promise.all([
      store.takeFlow(flow.pollHash, 1300, draft),
      other.takeFlow(flow.pollHash, 1300, { ...draft, hash: hashSecret('2'), id: '2' }),
    ]);
    const taken = ends.filter((end) => end !== undefined);
    assert.equal(taken.length, 1);
    assert.equal(taken[0]?.user, ALICE);
    assert.equal(taken[0]?.device, flow.device);
    assert.deepEqual(await other.listTokens(ALICE, 'app-password'), taken);
    assert.equal(await store.takeFlow(flow.pollHash, 1300, draft), undefined);
  });

  it('grants a flow once, to an enabled user, before it expires', async () => {
    const { store } = stores();
    await store.addUser(sampleUser(BOB, { disabled: true }));
    await store.addFlow(flow, 10);
    assert.equal(await store.grantFlow(hashSecret('guess'), ALICE, 1200), false);
    assert.equal(await store.grantFlow(flow.flowHash, ALICE, 1500), false, 'expired');
    await refuses(store.grantFlow(flow.flowHash, BOB, 1200), 'not-found');
    await refuses(store.grantFlow(flow.flowHash, parseUserId('eve'), 1200), 'not-found');
    assert.equal(await store.grantFlow(flow.flowHash, ALICE, 1200), true);
    assert.equal(await store.grantFlow(flow.flowHash, ALICE, 1200), false, 'granted already');
    assert.equal(await store.takeFlow(flow.pollHash, 1500, draft), undefined, 'expired');
  });

  it('keeps a flow whose user has too many app passwords', async () => {
    const { store } = stores();
    await store.addToken(sampleToken(ALICE, 'a'), REFUSE);
    await store.addFlow(flow, 10);
    await store.grantFlow(flow.flowHash, ALICE, 1200);
    await refuses(store.takeFlow(flow.pollHash, 1300, { ...draft, countMax: 1 }), 'too-large');
    assert.notEqual(await store.takeFlow(flow.pollHash, 1300, draft), undefined);
  });

  it('keeps to the number of flows: the expired go first, then the oldest', async () => {
    const { store } = stores();
    const flows = [1000, 1001, 1002, 1600].map((at) => sampleFlow(`at ${at}`, at));
    for (const each of flows.slice(0, 3)) await store.addFlow(each, 2);
    const found = async (): Promise<boolean[]> =>
      Promise.all(flows.map(async ({ flowHash }) => {
        return (await store.findFlow(flowHash, 0)) !== undefined;
      }));
    assert.deepEqual(await found(), [false, true, true, false]);
    for (const each of flows.slice(3)) await store.addFlow(each, 2);
    assert.deepEqual(await found(), [false, false, false, true], 'all others had expired');
  });
}

function testChangeMark(stores: () => StorePair): void {
  it('moves with every change, of this store or the other, and rests otherwise', async () => {
    const { store, other } = stores();
    const acts: [string, (on: IdentityStore) => Promise<unknown>][] = [
      ['addUser', (on) => on.addUser(sampleUser(ALICE))],
      ['updateUser', (on) => on.updateUser(ALICE, { admin: true })],
      ['addToken', (on) => on.addToken(sampleToken(ALICE, 'a'), REFUSE)],
      ['touchTokens', (on) => on.touchTokens([
        { hash: hashSecret('a'), usedAt: 1, expiresAt: undefined },
      ])],
      ['deleteToken', (on) => on.deleteToken(ALICE, 'app-password', 'a')],
      ['addTenant', (on) => on.addTenant(sampleTenant(parseTenantId('acme')))],
      ['addGroup', (on) => on.addGroup(sampleGroup(parseGroupId('crew')))],
      ['joinGroup', (on) => on.joinGroup(parseGroupId('crew'), ALICE, 1)],
      ['leaveGroup', (on) => on.leaveGroup(parseGroupId('crew'), ALICE, 1)],
      ['removeGroup', (on) => on.removeGroup(parseGroupId('crew'), 1)],
    ];
    const both = (): Promise<number[]> => Promise.all([store.changeMark(), other.changeMark()]);
    for (const [index, [what, act]] of acts.entries()) {
      const marks = await both();
      assert.deepEqual(await both(), marks, 'nothing happened');
      await act(index % 2 === 0 ? store : other);
      const [here, there] = index % 2 === 0 ? [0, 1] : [1, 0];
      assert.notEqual((await both())[here], marks[here], `${what}, seen here`);
      for (let asked = 0; (await both())[there] === marks[there]; asked += 1) {
        assert.ok(asked < LOOKS_MAX, `${what}, seen by the other`);
        await new Promise(setImmediate);
      }
    }
    const marks = await both();
    await store.findUser(ALICE);
    assert.deepEqual(await both(), marks, 'reading changes nothing');
  });
}
