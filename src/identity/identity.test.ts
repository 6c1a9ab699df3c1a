import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT, parseTenantId, parseUserId } from '../base/ids.ts';
import { ManualClock } from '../platform/index.ts';
import {
  ALICE, BOB, CHEAP, HOME, openOn, openWorld, PASSWORD, refuses, type World,
} from './stores/memory/memory-world.ts';
import { Identity } from './identity.ts';
import type { NewSession } from './sessions.ts';
import { MemoryIdentityData, MemoryIdentityStore } from './stores/memory/memory-identity-store.ts';
import { SqliteIdentityStore } from './stores/sqlite/sqlite-identity-store.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

describe('ways in', () => {
  it('are told of when they are made and when they end, with whose and which device', async () => {
    const { data, clock } = await openWorld();
    const told: unknown[] = [];
    const identity = await Identity.open({
      store: new MemoryIdentityStore(data), clock, config: { hashCost: CHEAP },
      onSignIn: ({ act, user, tenant, device }) => told.push([act, user, tenant, device]),
    });
    const { sessions, appPasswords, loginFlows } = identity;
    const begin = (): Promise<NewSession> => sessions.signIn({
      user: 'alice', password: PASSWORD, address: HOME, device: 'Firefox',
    });
    const first = await begin();
    await sessions.signOut(first.token);
    await begin();
    const [second] = await sessions.list(ALICE);
    assert.equal(await sessions.revoke(ALICE, second?.id ?? ''), true);
    assert.equal(await sessions.revoke(ALICE, 'none'), false);
    const { id } = await appPasswords.create(ALICE, 'Phone');
    await appPasswords.revoke(ALICE, id);
    const { pollToken, flowToken } = await loginFlows.begin('Desktop');
    await loginFlows.grant(flowToken, first.caller);
    await loginFlows.poll(pollToken);
    const ofAlice = (act: string, device: string) => [act, ALICE, DEFAULT_TENANT, device];
    assert.deepEqual(told.filter((each) => !(each as string[]).includes('signed-in')), [
      ofAlice('session-ended', 'Firefox'), ofAlice('session-ended', 'Firefox'),
      ofAlice('app-password-made', 'Phone'), ofAlice('app-password-removed', 'Phone'),
      ofAlice('app-password-made', 'Desktop'),
    ]);
  });
});

it('seals for one purpose what every server with the same key opens', async () => {
  const open = (byte: number): Promise<Identity> => Identity.open({
    store: new MemoryIdentityStore(), clock: new ManualClock(1000),
    sealingKey: new Uint8Array(32).fill(byte),
  });
  const sealed = (await open(1)).sealFor('this').seal(Buffer.from('secret'), 'anna');
  assert.equal((await open(1)).sealFor('this').open(sealed, 'anna')?.toString(), 'secret');
  assert.equal((await open(1)).sealFor('that').open(sealed, 'anna'), undefined);
  assert.equal((await open(2)).sealFor('this').open(sealed, 'anna'), undefined);
});

describe('users', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });

  it('are shown without secrets', async () => {
    assert.deepEqual(await world.elsewhere.users.get(ALICE), {
      id: ALICE, tenant: DEFAULT_TENANT, displayName: 'Alice A.', admin: false, disabled: false,
      hasPassword: true, hasSecondFactor: false, email: undefined,
      createdAt: world.clock.now(),
    });
  });

  it('have a mail address, if they want one', async () => {
    const { users } = world.identity;
    const bob = await users.add({ id: BOB, email: 'bob@Example.org' });
    assert.equal(bob.email, 'bob@example.org');
    assert.equal((await users.setEmail(BOB, 'b@example.org')).email, 'b@example.org');
    assert.equal((await users.setEmail(BOB, undefined)).email, undefined);
    await refuses(users.setEmail(BOB, 'nobody'), 'invalid');
    await refuses(users.add({ id: 'carl', email: 'no address' }), 'invalid');
    assert.equal(await users.find(parseUserId('carl')), undefined);
  });

  it('are of the tenant that they were made in, as their callers are', async () => {
    const { users, tenants } = world.identity;
    const acme = await tenants.create({ id: 'acme', title: 'Acme & Co.', policy: 'cold' });
    const all = await world.elsewhere.tenants.list();
    assert.deepEqual(all, [acme, await tenants.get(DEFAULT_TENANT)]);
    const { tenant } = await users.add({ id: BOB, tenant: 'acme', password: PASSWORD });
    assert.equal(tenant, acme.id);
    const caller = await world.elsewhere.authenticateBasic({
      user: 'bob', password: PASSWORD, address: HOME,
    });
    assert.equal(caller.tenant, acme.id);
    await refuses(users.add({ id: 'carl', tenant: 'none' }), 'not-found');
    await refuses(tenants.create({ id: 'Acme' }), 'invalid');
    await refuses(tenants.create({ id: 'new', policy: '../x' }), 'invalid');
    await refuses(tenants.get(parseTenantId('none')), 'not-found');
  });

  it('are listed in order, all of them', async () => {
    await world.identity.users.add({ id: BOB, admin: true });
    await world.identity.users.add({ id: '7up' });
    const users = await Array.fromAsync(world.identity.users.list());
    const shown = users.map(({ id, admin, hasPassword, displayName }) => {
      return [id, admin, hasPassword, displayName];
    });
    assert.deepEqual(shown, [
      ['7up', false, false, '7up'], ['alice', false, true, 'Alice A.'], ['bob', true, false, 'bob'],
    ]);
  });

  it('are not added twice, nor with a bad name, display name or password', async () => {
    const { users } = world.identity;
    await refuses(users.add({ id: ALICE, password: PASSWORD }), 'exists');
    await refuses(users.add({ id: 'Not A Name', password: PASSWORD }), 'invalid');
    await refuses(users.add({ id: 'eve', password: 'short' }), 'invalid');
    await refuses(users.add({ id: 'eve', displayName: ' \n ' }), 'invalid');
    await refuses(users.add({ id: 'eve', displayName: 'x'.repeat(121) }), 'invalid');
    await refuses(users.get(BOB), 'not-found');
    assert.equal((await Array.fromAsync(users.list())).length, 1);
  });

  it('cannot be changed when they are not there', async () => {
    const { users } = world.identity;
    await refuses(users.setPassword(BOB, PASSWORD), 'not-found');
    await refuses(users.setDisabled(BOB, true), 'not-found');
    await refuses(users.setAdmin(BOB, true), 'not-found');
  });

  it('keep the old password when the new one breaks a rule', async () => {
    await refuses(world.identity.users.setPassword(ALICE, 'short'), 'invalid');
    await world.identity.authenticateBasic({ user: ALICE, password: PASSWORD, address: HOME });
  });
});

describe('setup link', () => {
  let clock: ManualClock;
  let identity: Identity;
  let elsewhere: Identity;
  const root = { user: 'root', password: PASSWORD, displayName: 'The Boss' };
  beforeEach(async () => {
    clock = new ManualClock(1_700_000_000_000);
    const data = new MemoryIdentityData();
    identity = await openOn(new MemoryIdentityStore(data), clock);
    elsewhere = await openOn(new MemoryIdentityStore(data), clock);
  });

  const linkToken = async (): Promise<string> => (await identity.createSetupLink())?.token ?? '';

  it('makes the first administrator, once', async () => {
    const token = await linkToken();
    assert.equal(await identity.isSetupLinkUsable(token), true);
    const caller = await identity.useSetupLink(token, root);
    assert.equal(caller.admin, true);
    assert.equal(caller.displayName, 'The Boss');
    assert.equal(await identity.isSetupLinkUsable(token), false);
    await refuses(identity.useSetupLink(token, { ...root, user: 'second' }), 'denied');
    assert.equal(await identity.createSetupLink(), undefined);
    await identity.authenticateBasic({ ...root, address: HOME });
  });

  it('makes one of two who use it at once', async () => {
    const token = await linkToken();
    const ends = await Promise.allSettled([
      identity.useSetupLink(token, root),
      elsewhere.useSetupLink(token, { ...root, user: 'second' }),
    ]);
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1);
    const late = ends.find((end) => end.status === 'rejected');
    assert.ok(late?.reason instanceof HoldfastError && late.reason.kind === 'denied');
    assert.equal((await Array.fromAsync(identity.users.list())).length, 1);
  });

  it('is replaced by the next one, and ends after a day', async () => {
    const older = await linkToken();
    const newer = await linkToken();
    await refuses(identity.useSetupLink(older, root), 'denied');
    assert.equal(await elsewhere.isSetupLinkUsable(newer), true);
    clock.advance(DAY_MS - 1);
    assert.equal(await identity.isSetupLinkUsable(newer), true);
    clock.advance(1);
    await refuses(identity.useSetupLink(newer, root), 'denied');
  });

  it('stays usable after a name or a password that breaks a rule', async () => {
    const token = await linkToken();
    await refuses(identity.useSetupLink(token, { ...root, password: 'short' }), 'invalid');
    await refuses(identity.useSetupLink(token, { ...root, user: 'A B' }), 'invalid');
    await identity.useSetupLink(token, root);
  });

  it('is void once an administrator came by another way', async () => {
    const token = await linkToken();
    await elsewhere.users.add({ id: 'other', password: PASSWORD, admin: true });
    await refuses(identity.useSetupLink(token, root), 'denied');
  });

  it('is not opened by a guess', async () => {
    await linkToken();
    for (const guess of ['', 'x', 'y'.repeat(43)]) {
      await refuses(identity.useSetupLink(guess, root), 'denied');
    }
  });

  it('lets nobody without it make the server hash passwords', async () => {
    await linkToken();
    const guesses = Array.from({ length: 200 }, () => identity.useSetupLink('guess', root));
    for (const guess of guesses) await refuses(guess, 'denied'); // Else most would be `busy`.
  });
});

describe('login flow', () => {
  let world: World;
  beforeEach(async () => {
    world = await openWorld();
  });

  const signedIn = async () => (await world.identity.sessions.signIn({
    user: 'alice', password: PASSWORD, address: HOME, device: 'Firefox',
  })).caller;

  it('gives the device an app password, once', async () => {
    const { identity, elsewhere } = world;
    const { pollToken, flowToken } = await identity.loginFlows.begin('Nextcloud iOS');
    assert.deepEqual(await identity.loginFlows.find(flowToken), { device: 'Nextcloud iOS' });
    assert.equal(await identity.loginFlows.poll(pollToken), undefined);
    await elsewhere.loginFlows.grant(flowToken, await signedIn());
    assert.equal(await identity.loginFlows.find(flowToken), undefined);
    const polls = await Promise.all([1, 2, 3].map(() => identity.loginFlows.poll(pollToken)));
    const granted = polls.filter((poll) => poll !== undefined);
    assert.equal(granted.length, 1);
    assert.equal(granted[0]?.user, ALICE);
    assert.equal(await elsewhere.loginFlows.poll(pollToken), undefined);
    const password = granted[0]?.appPassword ?? '';
    const caller = await identity.authenticateBasic({ user: ALICE, password, address: HOME });
    assert.equal(caller.device, 'Nextcloud iOS');
    assert.equal(caller.credential, 'app-password');
  });

  it('is granted once, by a person, and keeps its two secrets apart', async () => {
    const { loginFlows } = world.identity;
    const { pollToken, flowToken } = await loginFlows.begin('phone');
    const caller = await signedIn();
    await refuses(loginFlows.grant(pollToken, caller), 'not-found');
    await refuses(loginFlows.grant(flowToken, { ...caller, credential: 'app-password' }), 'denied');
    await loginFlows.grant(flowToken, caller);
    await refuses(loginFlows.grant(flowToken, caller), 'not-found');
    assert.equal(await loginFlows.poll(flowToken), undefined);
    assert.notEqual(await loginFlows.poll(pollToken), undefined);
  });

  it('ends after 20 minutes, granted or not', async () => {
    const { loginFlows } = world.identity;
    const first = await loginFlows.begin('phone');
    const second = await loginFlows.begin('phone');
    const caller = await signedIn();
    await loginFlows.grant(first.flowToken, caller);
    world.clock.advance(20 * MINUTE_MS);
    assert.equal(await loginFlows.poll(first.pollToken), undefined);
    await refuses(loginFlows.grant(second.flowToken, caller), 'not-found');
    assert.deepEqual(await world.identity.appPasswords.list(ALICE), [], 'nothing is left behind');
  });

  it('gives nothing when the user was disabled or got a new password since', async () => {
    for (const act of [
      () => world.elsewhere.users.setPassword(ALICE, 'battery staple'),
      () => world.elsewhere.users.setDisabled(ALICE, true),
    ]) {
      world = await openWorld();
      const { pollToken, flowToken } = await world.identity.loginFlows.begin('phone');
      await world.identity.loginFlows.grant(flowToken, await signedIn());
      await act();
      assert.equal(await world.identity.loginFlows.poll(pollToken), undefined);
    }
  });
});

describe('secrets', () => {
  it('are in no error and, readable, in no store', async () => {
    const { identity, data, clock } = await openWorld();
    const secret = 'SeCrEt-hunter2-'.repeat(2);
    const short = 'hunter2';
    await identity.users.add({ id: 'carol', password: secret });
    const { password } = await identity.appPasswords.create(ALICE, 'laptop');
    const setup = (await identity.createSetupLink())?.token ?? '';
    const { token, caller } = await identity.sessions.signIn({
      user: 'carol', password: secret, address: HOME, device: 'Firefox',
    });
    const flow = await identity.loginFlows.begin('phone');
    await identity.loginFlows.grant(flow.flowToken, caller);
    const secrets = [secret, short, password, token, setup, flow.flowToken, flow.pollToken];
    const kept = JSON.stringify([[...data.users], [...data.tokens], [...data.flows],
      data.setupLink]);
    for (const each of secrets) assert.equal(kept.includes(each), false);
    assert.equal(kept.includes(password.replaceAll('-', '')), false);

    const basic = async (user: string, tried: string): Promise<unknown> =>
      identity.authenticateBasic({ user, password: tried, address: HOME });
    const failures: (() => Promise<unknown>)[] = [
      () => basic('alice', secret), () => basic('nobody', secret), () => basic('no name', secret),
      () => basic('bob', password), () => basic('alice', short),
      () => identity.users.setPassword(ALICE, short),
      () => identity.users.add({ id: 'dan', password: short }),
      () => identity.users.add({ id: 'carol', password: secret }),
      () => identity.useSetupLink(setup, { user: 'carol', password: secret }),
      () => identity.useSetupLink(`${setup}x`, { user: 'dan', password: secret }),
      () => identity.loginFlows.grant(flow.flowToken, caller),
      async () => identity.authenticateSession(`${token}x`),
      ...Array.from({ length: 10 }, (_, index) => () => basic('alice', `${secret}${index}`)),
    ];
    for (const failure of failures) {
      const error = await failure().then(() => assert.fail('must fail'), (e: unknown) => e);
      assert.ok(error instanceof HoldfastError);
      const { message, op, code, facts, cause, stack } = error;
      const said = JSON.stringify([message, op, code, facts, String(cause), stack]);
      for (const each of secrets) assert.equal(said.includes(each), false, `${op}: ${message}`);
    }
    clock.advance(0);
    await identity.close();
  });
});

describe('two processes on one file', () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-identity-'));
  after(() => rmSync(root, { recursive: true, force: true }));

  /** Runs lines with an open `identity` in a process of its own. */
  function inAnotherProcess(file: string, lines: string): void {
    const here = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
    const script = `
      import { Identity } from ${here('./identity.ts')};
      import { SqliteIdentityStore } from ${here('./stores/sqlite/sqlite-identity-store.ts')};
      import { systemClock } from ${here('../platform/index.ts')};
      const store = await SqliteIdentityStore.open({
        file: ${JSON.stringify(file)}, create: false,
      });
      const identity = await Identity.open({ store, clock: systemClock });
      ${lines}
      await identity.close();`;
    execFileSync(process.execPath, ['--input-type=module', '-e', script]);
  }

  it('the server refuses at once a user whom the command line disabled', async () => {
    const file = join(root, 'identity.db');
    const clock = new ManualClock(1_700_000_000_000);
    const identity = await openOn(await SqliteIdentityStore.open({ file, create: true }), clock);
    const { users } = identity;
    await users.add({ id: ALICE, password: PASSWORD });
    await users.add({ id: BOB, password: PASSWORD });
    const basic = async (user: string): Promise<unknown> =>
      identity.authenticateBasic({ user, password: PASSWORD, address: HOME });
    await basic('alice');
    await basic('bob');
    inAnotherProcess(file, `await identity.users.setDisabled('alice', true);`);
    await refuses(basic('alice'), 'unauthenticated');
    await basic('bob');
    inAnotherProcess(file, `await identity.users.setDisabled('alice', false);
      await identity.users.setPassword('bob', 'battery staple');`);
    await basic('alice');
    await refuses(basic('bob'), 'unauthenticated');
    await identity.close();
  });

  it('a login flow and a session outlast a restart', async () => {
    const file = join(root, 'restart.db');
    const clock = new ManualClock(1_700_000_000_000);
    const open = async (): Promise<Identity> =>
      openOn(await SqliteIdentityStore.open({ file, create: true }), clock);
    let identity = await open();
    await identity.users.add({ id: ALICE, password: PASSWORD });
    const flow = await identity.loginFlows.begin('phone');
    const { token, caller } = await identity.sessions.signIn({
      user: 'alice', password: PASSWORD, address: HOME, device: 'Firefox',
    });
    await identity.loginFlows.grant(flow.flowToken, caller);
    await identity.close();
    identity = await open();
    assert.equal((await identity.authenticateSession(token)).user, ALICE);
    assert.equal((await identity.loginFlows.poll(flow.pollToken))?.user, ALICE);
    await identity.close();
  });
});
