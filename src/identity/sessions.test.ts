import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { DEFAULT_TENANT } from '../base/ids.ts';
import {
  ALICE, BOB, HOME, openWorld, PASSWORD, refuses, type World,
} from './stores/memory/memory-world.ts';
import type { NewSession } from './sessions.ts';
import { hashSecret } from './secrets.ts';

const DAY_MS = 24 * 60 * 60_000;
const MINUTE_MS = 60_000;

let world: World;
beforeEach(async () => {
  world = await openWorld();
});

function begin(device = 'Firefox'): Promise<NewSession> {
  return world.identity.sessions.signIn({
    user: 'alice', password: PASSWORD, address: HOME, device,
  });
}

async function use(token: string): Promise<unknown> {
  return world.identity.authenticateSession(token);
}

describe('sessions', () => {
  it('begin with a password, and are told apart by device', async () => {
    const { token, caller, endsAt } = await begin();
    assert.equal(endsAt, world.clock.now() + 90 * DAY_MS);
    const [{ id: deviceId } = { id: '' }] = await world.identity.sessions.list(ALICE);
    assert.deepEqual(caller, {
      user: ALICE, tenant: DEFAULT_TENANT, displayName: 'Alice A.', admin: false,
      device: 'Firefox', deviceId, credential: 'session', groups: [], groupsRev: 0,
    });
    assert.deepEqual(await use(token), caller);
    assert.equal(world.identity.authenticateSession(token) instanceof Promise, false);
    await begin('Safari');
    const devices = (await world.identity.sessions.list(ALICE)).map(({ device }) => device);
    assert.deepEqual(devices.sort(), ['Firefox', 'Safari']);
  });

  it('do not begin with a wrong password', async () => {
    const attempt = world.identity.sessions.signIn({
      user: 'alice', password: 'wrong horse', address: HOME, device: 'Firefox',
    });
    await refuses(attempt, 'unauthenticated');
    assert.deepEqual(await world.identity.sessions.list(ALICE), []);
  });

  it('are stored by hash only', async () => {
    const { token } = await begin();
    assert.ok(world.data.tokens.has(hashSecret(token)));
    assert.equal(JSON.stringify([...world.data.tokens]).includes(token), false);
  });

  it('end when signed out or revoked, at once and in whichever process', async () => {
    const first = await begin();
    const second = await begin();
    for (const { token } of [first, second]) await use(token);
    await world.elsewhere.sessions.signOut(first.token);
    await world.elsewhere.sessions.signOut('no such token');
    await refuses(use(first.token), 'unauthenticated');
    await use(second.token);
    const [access] = await world.identity.sessions.list(ALICE);
    assert.equal(await world.elsewhere.sessions.revoke(BOB, access?.id ?? ''), false);
    assert.equal(await world.elsewhere.sessions.revoke(ALICE, access?.id ?? ''), true);
    await refuses(use(second.token), 'unauthenticated');
  });

  for (const [what, act] of [
    ['a password change', (w: World) => w.elsewhere.users.setPassword(ALICE, 'battery staple')],
    ['disabling the user', (w: World) => w.elsewhere.users.setDisabled(ALICE, true)],
  ] as const) {
    it(`end with ${what}`, async () => {
      const { token } = await begin();
      await use(token);
      await act(world);
      await refuses(use(token), 'unauthenticated');
      assert.deepEqual(await world.identity.sessions.list(ALICE), []);
    });
  }

  it('rest while the user is disabled, even if one was left', async () => {
    const { token } = await begin();
    const alice = world.data.users.get(ALICE);
    assert.ok(alice);
    alice.disabled = true; // Not by way of the store, which would have ended the session.
    await refuses(use(token), 'unauthenticated');
  });

  it('do not come back when a disabled user is enabled', async () => {
    const { token } = await begin();
    await world.identity.users.setDisabled(ALICE, true);
    await world.identity.users.setDisabled(ALICE, false);
    await refuses(use(token), 'unauthenticated');
  });

  it('do not outlive a password change that came while they began', async () => {
    const attempt = begin().then(({ token }) => use(token));
    await world.elsewhere.users.setPassword(ALICE, 'battery staple');
    await refuses(attempt, 'unauthenticated');
    assert.deepEqual(await world.identity.sessions.list(ALICE), []);
  });

  it('end after 14 days without use', async () => {
    const { token } = await begin();
    world.clock.advance(14 * DAY_MS - 1);
    await use(token);
    world.clock.advance(MINUTE_MS);
    await use(token);
    world.clock.advance(14 * DAY_MS);
    await refuses(use(token), 'unauthenticated');
  });

  it('end after 90 days whatever happens, to the millisecond', async () => {
    const { token, endsAt } = await begin();
    while (world.clock.now() + 10 * DAY_MS < endsAt) {
      world.clock.advance(10 * DAY_MS);
      await use(token);
      world.clock.advance(MINUTE_MS);
    }
    world.clock.advance(endsAt - world.clock.now() - 1);
    await use(token);
    world.clock.advance(1);
    await refuses(use(token), 'unauthenticated');
  });

  it('are limited in number: the oldest ends', async () => {
    world = await openWorld({ sessionsPerUserMax: 2 });
    const tokens: string[] = [];
    for (let index = 0; index < 3; index += 1) {
      tokens.push((await begin()).token);
      world.clock.advance(1);
    }
    await refuses(use(tokens[0] ?? ''), 'unauthenticated');
    for (const token of tokens.slice(1)) await use(token);
  });

  it('are not begun by what is no token', async () => {
    for (const token of ['', 'x', 'y'.repeat(43), hashSecret((await begin()).token)]) {
      await refuses(use(token), 'unauthenticated');
    }
  });
});
