import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ApiTokenWishes, NewApiToken } from './api-tokens.ts';
import type { SignInNotice } from './authenticator.ts';
import type { Caller } from './caller.ts';
import { Identity } from './identity.ts';
import { SCOPES } from './scopes.ts';
import { hashSecret } from './secrets.ts';
import {
  ALICE, BOB, CHEAP, HOME, openWorld, PASSWORD, refuses, type World,
} from './stores/memory/memory-world.ts';
import { MemoryIdentityStore } from './stores/memory/memory-identity-store.ts';

const MINUTE_MS = 60_000;
const WISHES: ApiTokenWishes = { label: 'backup script', scopes: ['files:read'] };

let world: World;
let alice: Caller;
beforeEach(async () => {
  world = await openWorld({ apiTokensPerUserMax: 3 });
  alice = await world.identity.authenticateBasic({
    user: 'alice', password: PASSWORD, address: HOME,
  });
});

const create = (wishes: Partial<ApiTokenWishes> = {}, by = alice): Promise<NewApiToken> =>
  world.identity.apiTokens.create(by, { ...WISHES, ...wishes });
const use = async (token: string): Promise<Caller> => world.identity.authenticateToken(token);

describe('API tokens', () => {
  it('let a program in as their user, for what they were made for', async () => {
    const { token, id } = await create({ scopes: ['sharing', 'files:read', 'sharing'] });
    assert.match(token, /^hft_[A-Za-z0-9_-]{43}$/);
    const { user, device, deviceId, credential, scopes } = await use(token);
    assert.deepEqual([user, device, deviceId, credential, scopes], [
      ALICE, 'backup script', id, 'api-token', ['files:read', 'sharing'],
    ]);
    assert.equal(alice.scopes, undefined, 'whoever has signed in may do all');
  });

  it('are kept by their hash only', async () => {
    const { token } = await create();
    assert.ok(world.data.tokens.has(hashSecret(token)));
    assert.equal(JSON.stringify([...world.data.tokens]).includes(token), false);
  });

  it('are no passwords and no sessions, and those are no tokens', async () => {
    const { token } = await create();
    const basic = { user: 'alice', password: token, address: HOME };
    await refuses((async () => world.identity.authenticateBasic(basic))(), 'unauthenticated');
    const session = async () => world.identity.authenticateSession(token);
    await refuses(session(), 'unauthenticated');
    const other = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    await refuses(use(other), 'unauthenticated');
    await refuses(use('hft_'), 'unauthenticated');
  });

  it('end when revoked, by their owner alone, at once and in whichever process', async () => {
    const { token, id } = await create();
    await use(token);
    assert.equal(await world.identity.apiTokens.revoke(BOB, id), false);
    await use(token);
    assert.equal(await world.elsewhere.apiTokens.revoke(ALICE, id), true);
    await refuses(use(token), 'unauthenticated');
    assert.deepEqual(await world.identity.apiTokens.list(ALICE), []);
  });

  it('end at their time, also when they were used a moment before', async () => {
    const expiresAt = world.clock.now() + MINUTE_MS;
    const { token } = await create({ expiresAt });
    world.clock.advance(MINUTE_MS - 1);
    await use(token);
    assert.equal((await world.identity.apiTokens.list(ALICE)).length, 1);
    world.clock.advance(1);
    await refuses(use(token), 'unauthenticated');
    assert.deepEqual(await world.identity.apiTokens.list(ALICE), []);
    await refuses(create({ expiresAt }), 'invalid');
  });

  it('without an end are good for years, while their user is', async () => {
    const { token } = await create();
    world.clock.advance(1000 * 24 * 60 * MINUTE_MS);
    await use(token);
    await world.identity.users.setDisabled(ALICE, true);
    await refuses(use(token), 'unauthenticated');
  });

  it('can be used for nothing when their scopes are lost', async () => {
    const { token } = await create();
    const record = world.data.tokens.get(hashSecret(token));
    assert.ok(record);
    delete record.scopes;
    assert.deepEqual((await use(token)).scopes, []);
  });

  it('administer only for administrators, and only if made for it', async () => {
    await refuses(create({ scopes: ['admin'] }), 'denied');
    await world.identity.users.setAdmin(ALICE, true);
    const admin = { ...alice, admin: true };
    const some = await create({ scopes: ['files:read', 'account'] }, admin);
    const all = await create({ scopes: SCOPES }, admin);
    assert.equal((await use(some.token)).admin, false);
    assert.equal((await use(all.token)).admin, true);
    await world.identity.users.setAdmin(ALICE, false);
    assert.equal((await use(all.token)).admin, false);
  });

  it('are not made by tokens and devices, of no scope, nor too many', async () => {
    const { token } = await create({ scopes: ['account'] });
    await refuses(create({}, await use(token)), 'denied');
    await refuses(create({}, { ...alice, credential: 'app-password' }), 'denied');
    for (const scopes of [[], ['all'], ['files:read', 'x']]) {
      await refuses(create({ scopes }), 'invalid');
    }
    await create();
    await create({ expiresAt: world.clock.now() + 1 });
    await refuses(create(), 'too-large');
    world.clock.advance(1);
    await create(); // One of the three is over.
  });

  it('are told of when made and when ended, and show when they were last used', async () => {
    const notices: SignInNotice[] = [];
    const identity = await Identity.open({
      store: new MemoryIdentityStore(world.data), clock: world.clock,
      config: { hashCost: CHEAP }, onSignIn: (notice) => notices.push(notice),
    });
    const { token, id } = await identity.apiTokens.create(alice, WISHES);
    await identity.authenticateToken(token);
    world.clock.advance(MINUTE_MS);
    const [shown] = await identity.apiTokens.list(ALICE);
    assert.equal(shown?.usedAt, world.clock.now() - MINUTE_MS);
    await identity.apiTokens.revoke(ALICE, id);
    assert.deepEqual(notices.map(({ act, user, device }) => [act, user, device]), [
      ['api-token-made', ALICE, 'backup script'], ['api-token-removed', ALICE, 'backup script'],
    ]);
  });
});
