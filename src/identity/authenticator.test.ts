import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { DEFAULT_TENANT } from '../base/ids.ts';
import {
  ALICE, AWAY, BOB, CHEAP, HOME, openOn, openWorld, PASSWORD, refuses, type World,
} from './stores/memory/memory-world.ts';
import type { BasicCredentials } from './authenticator.ts';
import type { Caller } from './caller.ts';
import { PasswordHasher } from './password-hasher.ts';
import { parsePhc } from './phc.ts';
import { MemoryIdentityStore } from './stores/memory/memory-identity-store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SIX_THEN_BUSY = [...Array<string>(6).fill('unauthenticated'), 'busy'];

let world: World;
beforeEach(async () => {
  world = await openWorld();
});

function basic(changes: Partial<BasicCredentials> = {}): Caller | Promise<Caller> {
  return world.identity.authenticateBasic({
    user: 'alice', password: PASSWORD, address: HOME, ...changes,
  });
}

async function signIn(changes: Partial<BasicCredentials> = {}): Promise<Caller> {
  return basic(changes);
}

/** The hash of a password, made beforehand, so that a change can happen at an exact moment. */
async function hashElsewhere(password: string): Promise<string> {
  return new PasswordHasher({ cost: CHEAP, atOnceMax: 1, waitingMax: 0 }).hash(password);
}

/** True when the answer came at once, without a promise. */
function isRemembered(changes: Partial<BasicCredentials> = {}): boolean {
  const answer = basic(changes);
  if (!(answer instanceof Promise)) return true;
  answer.catch(() => undefined); // Only how it came is asked.
  return false;
}

describe('authenticateBasic', () => {
  it('answers who the caller is', async () => {
    const caller: Caller = {
      user: ALICE, tenant: DEFAULT_TENANT, displayName: 'Alice A.', admin: false,
      device: 'password', credential: 'password', groups: [], groupsRev: 0,
    };
    assert.deepEqual(await basic(), caller);
    assert.deepEqual(await basic({ user: 'ALICE' }), caller, 'letters of either case');
  });

  it('refuses with one and the same message whoever it is and whatever is wrong', async () => {
    await world.identity.users.add({ id: 'dora', password: PASSWORD });
    await world.identity.users.setDisabled((await world.identity.users.add({
      id: 'disabled', password: PASSWORD,
    })).id, true);
    await world.identity.users.add({ id: 'nopass' });
    const attempts: Partial<BasicCredentials>[] = [
      { password: 'wrong horse' }, { password: '' }, { password: 'x'.repeat(5000) },
      { user: 'nobody' }, { user: 'disabled' }, { user: 'nopass' }, { user: '' },
      { user: 'not a name' }, { user: 'dora', password: 'correct horsE' },
    ];
    const errors = await Promise.all(attempts.map((each) => {
      return refuses(signIn(each), 'unauthenticated');
    }));
    const said = errors.map(({ message, code, op, facts }) => ({ message, code, op, facts }));
    for (const each of said) assert.deepEqual(each, said[0]);
  });

  it('reads a text that shows credentials only when it was not verified a moment ago', async () => {
    let reads = 0;
    const shown = (text: string, password = PASSWORD): Caller | Promise<Caller> =>
      world.identity.authenticateShown(text, () => {
        reads += 1;
        return { user: 'alice', password, address: HOME };
      });
    const caller = await shown('Basic one');
    assert.equal(caller.user, ALICE);
    assert.equal(reads, 1);
    assert.equal(shown('Basic one'), caller, 'at once, and without reading');
    assert.equal(reads, 1);
    await refuses((async () => shown('Basic two', 'wrong horse'))(), 'unauthenticated');
    assert.equal(reads, 2, 'another text is read');
    await refuses((async () => shown('Basic two', 'wrong horse'))(), 'unauthenticated');
    assert.equal(reads, 3, 'what was refused is never remembered as right');
    await world.identity.users.setDisabled(ALICE, true);
    await refuses((async () => shown('Basic one'))(), 'unauthenticated');
    assert.equal(reads, 4, 'a change of the user is noticed');
  });

  it('remembers what it verified, for five minutes', async () => {
    assert.equal(isRemembered(), false);
    await basic();
    world.clock.advance(5 * MINUTE_MS - 1);
    assert.equal(isRemembered(), true);
    assert.equal(isRemembered({ password: 'correct horsE' }), false);
    assert.equal(isRemembered({ user: 'bob' }), false);
    world.clock.advance(1);
    assert.equal(isRemembered(), false);
    await basic();
    assert.equal(isRemembered(), true);
  });

  it('does not mistake one split of name and password for another', async () => {
    await basic();
    for (const [user, password] of [['alic', `e${PASSWORD}`], [`alice${PASSWORD}`, '']] as const) {
      assert.equal(isRemembered({ user, password }), false);
      await refuses(signIn({ user, password }), 'unauthenticated');
    }
  });

  it('remembers a bounded number: the oldest goes', async () => {
    world = await openWorld({ verifiedCountMax: 2 });
    for (const user of ['alice', 'Alice', 'ALICE']) await basic({ user });
    assert.deepEqual(
      ['alice', 'Alice', 'ALICE'].map((user) => isRemembered({ user })), [false, true, true],
    );
  });

  const changes: [what: string, act: (on: World['identity']) => Promise<unknown>][] = [
    ['disabling', (on) => on.users.setDisabled(ALICE, true)],
    ['a new password', (on) => on.users.setPassword(ALICE, 'battery staple')],
  ];
  for (const [what, act] of changes) {
    for (const where of ['identity', 'elsewhere'] as const) {
      const place = where === 'identity' ? 'this process' : 'another process';
      it(`${what} in ${place} ends a remembered verdict at once`, async () => {
        await basic();
        assert.equal(isRemembered(), true);
        await act(world[where]);
        await refuses(signIn(), 'unauthenticated');
      });
    }
  }

  it('shows a changed name or right at once', async () => {
    await basic();
    await world.elsewhere.users.setAdmin(ALICE, true);
    assert.equal((await basic()).admin, true);
    await world.elsewhere.users.setDisplayName(ALICE, 'Alice B.');
    assert.equal((await basic()).displayName, 'Alice B.');
  });

  it('does not compute anew when only another user changed', async () => {
    await world.identity.users.add({ id: BOB, password: PASSWORD });
    await basic();
    // Were it computed anew, the hash that cannot be read would be noticed.
    const stored = world.data.users.get(ALICE);
    assert.ok(stored);
    stored.passwordHash = 'unreadable';
    await world.elsewhere.users.setAdmin(BOB, true);
    assert.equal(isRemembered(), false, 'the user has to be read again');
    assert.equal((await basic()).user, ALICE);
    assert.equal(isRemembered(), true);
    world.clock.advance(5 * MINUTE_MS);
    await refuses(signIn(), 'corrupt');
  });

  it('does not remember a password that was changed while it was being verified', async () => {
    const underWay = signIn();
    await world.elsewhere.users.setPassword(ALICE, 'battery staple');
    await underWay.catch(() => undefined);
    await refuses(signIn(), 'unauthenticated');
  });

  it('computes once for the many requests that a client sends at once', async () => {
    world = await openWorld({ hashesAtOnceMax: 1, hashesWaitingMax: 0 });
    const callers = await Promise.all(Array.from({ length: 20 }, () => signIn()));
    assert.equal(callers.length, 20);
  });

  it('hashes a password anew when its hash has become too cheap, and it still works', async () => {
    const { clock, data } = world;
    const hashCost = { ...CHEAP, memoryKib: 16 };
    const stricter = await openOn(new MemoryIdentityStore(data), clock, { hashCost });
    const session = await world.identity.sessions.signIn({
      user: 'alice', password: PASSWORD, address: HOME, device: 'browser',
    });
    await stricter.authenticateBasic({ user: 'alice', password: PASSWORD, address: HOME });
    assert.equal(parsePhc(data.users.get(ALICE)?.passwordHash ?? '').cost.memoryKib, 16);
    assert.equal((await basic()).user, ALICE);
    await world.identity.authenticateSession(session.token);
  });

  it('keeps a password that was changed while the old hash was being renewed', async () => {
    const { clock, data } = world;
    const newHash = await hashElsewhere('battery staple');
    const hashCost = { ...CHEAP, memoryKib: 16 };
    const stricter = await openOn(new MemoryIdentityStore(data), clock, { hashCost });
    const credentials = { user: 'alice', password: PASSWORD, address: HOME };
    const underWay = stricter.authenticateBasic(credentials);
    await new MemoryIdentityStore(data).updateUser(ALICE, { passwordHash: newHash });
    await underWay;
    assert.equal(data.users.get(ALICE)?.passwordHash, newHash);
    assert.equal((await basic({ password: 'battery staple' })).user, ALICE);
  });

  it('does not join a check that began before the password changed', async () => {
    const newHash = await hashElsewhere('battery staple');
    const before = signIn();
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve(); // It is being computed now.
    await new MemoryIdentityStore(world.data).updateUser(ALICE, { passwordHash: newHash });
    await refuses(signIn(), 'unauthenticated');
    await before;
    await refuses(signIn(), 'unauthenticated');
  });

  it('says when to try again once its queue is full', async () => {
    world = await openWorld({ hashesAtOnceMax: 1, hashesWaitingMax: 1 });
    const tries = Array.from({ length: 5 }, (_, index) => signIn({ password: `wrong ${index}` }));
    const ends = await Promise.allSettled(tries);
    const kinds = ends.map((end) => {
      assert.ok(end.status === 'rejected' && end.reason instanceof HoldfastError);
      return end.reason.kind;
    });
    assert.equal(kinds.filter((kind) => kind === 'busy').length, 3);
  });

  it('does not count attempts that its full queue refused', async () => {
    world = await openWorld({ hashesAtOnceMax: 1, hashesWaitingMax: 0 });
    for (let round = 0; round < 2; round += 1) {
      const tries = [1, 2, 3, 4, 5].map((index) => signIn({ password: `wrong ${round} ${index}` }));
      await Promise.allSettled(tries);
    }
    assert.equal((await basic()).user, ALICE, 'two were decided, eight were not');
  });
});

describe('brute force', () => {
  const guess = (count: number, address = HOME): Promise<HoldfastError[]> =>
    Array.from({ length: count }, (_, index) => `guess ${index}`).reduce(
      async (done, password) => [
        ...(await done),
        await signIn({ password, address }).then(
          () => assert.fail('a guess must not be right'),
          (error: unknown) => error as HoldfastError,
        ),
      ],
      Promise.resolve<HoldfastError[]>([]),
    );

  it('is slowed down, even with the right password, and told when to try again', async () => {
    const errors = await guess(7);
    assert.deepEqual(errors.map(({ kind }) => kind), SIX_THEN_BUSY);
    assert.equal(errors.at(-1)?.facts['retryAfterMs'], 1000);
    await refuses(signIn(), 'busy');
    world.clock.advance(1000);
    assert.equal((await basic()).user, ALICE);
    assert.equal((await guess(6)).at(-1)?.kind, 'unauthenticated', 'a success forgives');
  });

  it('does not slow down a sync client that repeats an outdated password', async () => {
    for (let run = 0; run < 50; run += 1) {
      await refuses(signIn({ password: 'outdated password' }), 'unauthenticated');
    }
    assert.equal((await basic()).user, ALICE);
  });

  it('does not compute a repeated wrong password again until the user changes', async () => {
    await refuses(signIn({ password: 'battery staple' }), 'unauthenticated');
    const stored = world.data.users.get(ALICE);
    assert.ok(stored);
    const hash = stored.passwordHash;
    stored.passwordHash = 'unreadable'; // Computing would notice it.
    await refuses(signIn({ password: 'battery staple' }), 'unauthenticated');
    stored.passwordHash = hash;
    await world.elsewhere.users.setPassword(ALICE, 'battery staple');
    assert.equal((await basic({ password: 'battery staple' })).user, ALICE);
  });

  it('treats unknown and disabled users as it treats known ones', async () => {
    await world.identity.users.setDisabled(ALICE, true);
    for (const user of ['alice', 'nobody']) {
      const kinds: string[] = [];
      for (let index = 0; index < 7; index += 1) {
        const error = await signIn({ user, password: `guess ${index}` }).catch((e: unknown) => e);
        kinds.push((error as HoldfastError).kind);
      }
      assert.deepEqual(kinds, SIX_THEN_BUSY, user);
    }
  });

  it('never locks out an app password', async () => {
    const { password } = await world.identity.appPasswords.create(ALICE, 'laptop');
    await guess(20);
    for (let index = 0; index < 100; index += 1) await guess(1, `10.0.0.${index}`);
    await refuses(signIn(), 'busy');
    assert.equal((await basic({ password })).credential, 'app-password');
    assert.equal((await basic({ password, address: AWAY })).credential, 'app-password');
  });

  it('spares the password, too, where an app password of the user is in use', async () => {
    const { password } = await world.identity.appPasswords.create(ALICE, 'laptop');
    await basic({ password });
    for (let index = 0; index < 100; index += 1) await guess(1, `10.0.0.${index}`);
    await refuses(signIn({ address: AWAY }), 'busy');
    assert.equal((await basic()).user, ALICE);
  });

  it('does not lock out a client that was right before, even when it is due again', async () => {
    await basic();
    await guess(20); // From the same address, for example behind the same router.
    assert.equal(isRemembered(), true);
    world.clock.advance(5 * MINUTE_MS);
    await guess(20);
    assert.equal(isRemembered(), false);
    assert.equal((await basic()).user, ALICE);
  });

  it('counts impossible names by their address', async () => {
    const kinds = new Set<string>();
    for (let index = 0; index < 60; index += 1) {
      const attempt = signIn({ user: 'not a name', password: `guess ${index}` });
      kinds.add(((await attempt.catch((error: unknown) => error)) as HoldfastError).kind);
    }
    assert.deepEqual([...kinds], ['unauthenticated', 'busy']);
  });
});

describe('app passwords', () => {
  it('sign in as the device they were made for, however they are typed', async () => {
    const { password, id } = await world.identity.appPasswords.create(ALICE, ' laptop\u202e\n');
    assert.equal((await world.identity.appPasswords.list(ALICE))[0]?.id, id);
    for (const typed of [password, password.replaceAll('-', ''), password.toUpperCase()]) {
      assert.deepEqual(await basic({ password: typed }), {
        user: ALICE, tenant: DEFAULT_TENANT, displayName: 'Alice A.', admin: false,
        device: 'laptop', deviceId: id, credential: 'app-password', groups: [], groupsRev: 0,
      });
      assert.equal(isRemembered({ password: typed }), true);
    }
  });

  it('work for their owner only', async () => {
    await world.identity.users.add({ id: BOB, password: PASSWORD });
    const { password } = await world.identity.appPasswords.create(ALICE, 'laptop');
    await refuses(signIn({ user: 'bob', password }), 'unauthenticated');
  });

  it('are refused at once when revoked, in whichever process', async () => {
    for (const where of ['identity', 'elsewhere'] as const) {
      const { password, id } = await world.identity.appPasswords.create(ALICE, 'laptop');
      const { password: other } = await world.identity.appPasswords.create(ALICE, 'phone');
      await basic({ password });
      assert.equal(await world[where].appPasswords.revoke(ALICE, id), true);
      assert.equal(await world[where].appPasswords.revoke(ALICE, id), false);
      await refuses(signIn({ password }), 'unauthenticated');
      assert.equal((await basic({ password: other })).device, 'phone');
    }
  });

  it('can be revoked by the device that has them', async () => {
    const { appPasswords } = world.identity;
    const { password } = await appPasswords.create(ALICE, 'laptop');
    assert.equal(await appPasswords.revokePresented(BOB, password), false);
    assert.equal(await appPasswords.revokePresented(ALICE, PASSWORD), false);
    assert.equal(await appPasswords.revokePresented(ALICE, password), true);
    await refuses(signIn({ password }), 'unauthenticated');
  });

  it('survive a password change, and rest while the user is disabled', async () => {
    const { password } = await world.identity.appPasswords.create(ALICE, 'laptop');
    await world.identity.users.setPassword(ALICE, 'battery staple');
    assert.equal((await basic({ password })).device, 'laptop');
    await world.elsewhere.users.setDisabled(ALICE, true);
    await refuses(signIn({ password }), 'unauthenticated');
    await world.elsewhere.users.setDisabled(ALICE, false);
    assert.equal((await basic({ password })).device, 'laptop');
  });

  it('are limited in number', async () => {
    world = await openWorld({ appPasswordsPerUserMax: 2 });
    const { appPasswords } = world.identity;
    await appPasswords.create(ALICE, 'one');
    await appPasswords.create(ALICE, 'two');
    await refuses(appPasswords.create(ALICE, 'three'), 'too-large');
  });

  it('note their use within a minute, once an hour', async () => {
    const { password } = await world.identity.appPasswords.create(ALICE, 'laptop');
    const usedAt = async (): Promise<number | undefined> =>
      (await world.elsewhere.appPasswords.list(ALICE))[0]?.usedAt;
    const first = world.clock.now();
    await basic({ password });
    assert.equal(await usedAt(), undefined, 'not while somebody waits');
    world.clock.advance(MINUTE_MS);
    assert.equal(await usedAt(), first);
    world.clock.advance(30 * MINUTE_MS);
    await basic({ password });
    world.clock.advance(MINUTE_MS);
    assert.equal(await usedAt(), first, 'within the hour');
    world.clock.advance(HOUR_MS);
    await basic({ password });
    await world.identity.close();
    assert.equal(await usedAt(), world.clock.now(), 'what waits is written at the end');
  });
});
