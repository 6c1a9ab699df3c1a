import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { Secret, TOTP } from 'otpauth';
import type { Caller } from './caller.ts';
import type { SignInNotice } from './authenticator.ts';
import { Identity } from './identity.ts';
import type { NewSession } from './sessions.ts';
import {
  ALICE, AWAY, CHEAP, HOME, openWorld, PASSWORD, refuses, type World,
} from './stores/memory/memory-world.ts';
import { MemoryIdentityStore } from './stores/memory/memory-identity-store.ts';

const STEP_MS = 30_000;
const OWN = { user: ALICE, password: PASSWORD, address: HOME };
const RFC_SECRET = '12345678901234567890';

let world: World;
let notices: SignInNotice[];
beforeEach(async () => {
  world = await openWorld();
  notices = [];
  const { clock, data } = world;
  world.identity = await Identity.open({
    store: new MemoryIdentityStore(data), clock, config: { hashCost: CHEAP },
    onSignIn: (notice) => notices.push(notice),
  });
});

/** What the app on alice's phone shows. */
function codeOf(secret: string, steps = 0): string {
  const timestamp = world.clock.now() + steps * STEP_MS;
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp });
}

function wrongCode(secret: string, salt = 0): string {
  const near = new Set([-1, 0, 1].map((steps) => codeOf(secret, steps)));
  for (let code = salt * 10; ; code += 1) {
    const text = String(code).padStart(6, '0');
    if (!near.has(text)) return text;
  }
}

function signIn(code?: string, changes: Partial<typeof OWN> = {}): Promise<NewSession> {
  return world.identity.sessions.signIn({ ...OWN, ...changes, device: 'Firefox', code });
}

async function turnOn(caller?: Caller): Promise<{ secret: string; recovery: string[] }> {
  const who = caller ?? await world.identity.authenticateBasic(OWN);
  const { secret } = await world.identity.secondFactors.begin(OWN, 'files.example');
  const recovery = await world.identity.secondFactors.turnOn(who, {
    code: codeOf(secret), address: HOME,
  });
  world.clock.advance(STEP_MS);
  return { secret, recovery };
}

async function refusedFor(promise: Promise<unknown>, code: string): Promise<void> {
  assert.equal((await refuses(promise, 'unauthenticated')).code, code);
}

describe('codes by time', () => {
  it('are those of RFC 6238, appendix B, with six digits', async () => {
    const { stepOfCode } = await import('./one-time-codes.ts');
    const secret = Buffer.from(RFC_SECRET);
    const rows = [[59, '287082'], [1111111109, '081804'], [2000000000, '279037']] as const;
    for (const [seconds, code] of rows) {
      assert.equal(stepOfCode(secret, code, seconds * 1000), Math.floor(seconds / 30));
      assert.equal(stepOfCode(secret, code, (seconds + 60) * 1000), undefined);
    }
  });
});

describe('a second factor', () => {
  it('is on when the password and one right code were shown, and not before', async () => {
    const { secondFactors } = world.identity;
    await refuses(secondFactors.begin({ ...OWN, password: 'wrong horse' }, ''), 'unauthenticated');
    const { secret, address } = await secondFactors.begin(OWN, 'files.example');
    assert.match(secret, /^[A-Z2-7]{32}$/);
    const { label, issuer, period, digits, algorithm } = readAddress(address);
    assert.deepEqual(
      [label, issuer, period, digits, algorithm],
      ['alice@files.example', 'Holdfast', 30, 6, 'SHA1'],
    );
    await signIn();
    const caller = await world.identity.authenticateBasic(OWN);
    const wrong = secondFactors.turnOn(caller, { code: wrongCode(secret), address: HOME });
    await refusedFor(wrong, 'second-factor-wrong');
    assert.equal((await secondFactors.stateOf(ALICE)).isOn, false);
    const recovery = await secondFactors.turnOn(caller, { code: codeOf(secret), address: HOME });
    assert.equal(new Set(recovery).size, 10);
    assert.deepEqual(await secondFactors.stateOf(ALICE), {
      isOn: true, since: world.clock.now(), recoveryCodesLeft: 10,
    });
    assert.equal((await world.identity.users.get(ALICE)).hasSecondFactor, true);
    await refuses(secondFactors.begin(OWN, ''), 'conflict');
    await refuses(secondFactors.turnOn(caller, { code: codeOf(secret, 1), address: HOME }),
      'conflict');
  });

  it('must be confirmed within the hour', async () => {
    const caller = await world.identity.authenticateBasic(OWN);
    const { secret } = await world.identity.secondFactors.begin(OWN, '');
    world.clock.advance(61 * 60_000);
    const late = world.identity.secondFactors.turnOn(caller, {
      code: codeOf(secret), address: HOME,
    });
    assert.equal((await refuses(late, 'conflict')).code, 'second-factor-off');
  });

  it('ends all other sessions when it is turned on, and keeps the own', async () => {
    const [other, own] = [await signIn(), await signIn()];
    await turnOn(own.caller);
    assert.equal((await world.identity.authenticateSession(own.token)).user, ALICE);
    await refuses(Promise.resolve().then(() => world.elsewhere.authenticateSession(other.token)),
      'unauthenticated');
  });

  it('lets nobody in by the password alone, in whichever process, even if remembered', async () => {
    for (const identity of [world.identity, world.elsewhere]) await identity.authenticateBasic(OWN);
    await turnOn();
    for (const identity of [world.identity, world.elsewhere, world.identity]) {
      const attempt = Promise.resolve().then(() => identity.authenticateBasic(OWN));
      await refusedFor(attempt, 'app-password-required');
    }
    await refusedFor(signIn(), 'second-factor-required');
    await refusedFor(signIn(' '), 'second-factor-required');
    await refusedFor(signIn(undefined, { password: 'wrong horse' }), 'sign-in-refused');
  });

  it('lets app passwords and API tokens go on, but begins no session with them', async () => {
    const { password } = await world.identity.appPasswords.create(ALICE, 'phone');
    const owner = await world.identity.authenticateBasic(OWN);
    const { token } = await world.identity.apiTokens.create(owner, {
      label: 'script', scopes: ['account'],
    });
    const { secret } = await turnOn();
    const device = await world.identity.authenticateBasic({ ...OWN, password });
    assert.equal(device.credential, 'app-password');
    assert.equal((await world.identity.authenticateToken(token)).user, ALICE);
    await refusedFor(signIn(codeOf(secret), { password }), 'own-password-required');
  });

  it('is asked for by a sign-in under whose hands it was turned on', async () => {
    const { secret } = await world.identity.secondFactors.begin(OWN, '');
    const { data, clock, elsewhere } = world;
    const caller = await elsewhere.authenticateBasic(OWN);
    /** Another process turns it on between the password and the session. */
    class Overtaken extends MemoryIdentityStore {
      override async addToken(...token: Parameters<MemoryIdentityStore['addToken']>) {
        if (data.secondFactors.get(ALICE)?.isOn === false) {
          await world.identity.secondFactors.turnOn(caller, {
            code: codeOf(secret), address: HOME,
          });
        }
        await super.addToken(...token);
      }
    }
    const { sessions } = await Identity.open({
      store: new Overtaken(data), clock, config: { hashCost: CHEAP },
    });
    await refusedFor(sessions.signIn({ ...OWN, device: 'x' }), 'second-factor-required');
  });

  it('does not ask who has none', async () => {
    await signIn();
    assert.deepEqual(notices.map(({ act, device }) => [act, device]), [['signed-in', 'password']]);
  });
});

function readAddress(address: string): TOTP {
  const { searchParams, pathname } = new URL(address);
  return new TOTP({
    label: decodeURIComponent(pathname).split(':').at(-1) ?? '',
    issuer: searchParams.get('issuer') ?? '', period: Number(searchParams.get('period')),
    digits: Number(searchParams.get('digits')), algorithm: searchParams.get('algorithm') ?? '',
    secret: searchParams.get('secret') ?? '',
  });
}

describe('a code', () => {
  it('signs in once; a step earlier or later is near enough, two are not', async () => {
    const { secret } = await turnOn();
    const code = codeOf(secret);
    const { token } = await signIn(`${code.slice(0, 3)} ${code.slice(3)}`);
    assert.equal((await world.identity.authenticateSession(token)).credential, 'session');
    await refusedFor(signIn(code), 'second-factor-wrong');
    world.clock.advance(10 * STEP_MS);
    await refusedFor(signIn(codeOf(secret, -2)), 'second-factor-wrong');
    await refusedFor(signIn(codeOf(secret, 2)), 'second-factor-wrong');
    await signIn(codeOf(secret, -1));
    await signIn(codeOf(secret, 1));
    await refusedFor(signIn(codeOf(secret)), 'second-factor-wrong');
  });

  it('is good once when it comes twice at once, in two processes', async () => {
    const { secret } = await turnOn();
    const sign = { ...OWN, device: 'Firefox', code: codeOf(secret) };
    // The second one shares the key of the first only in the real program.
    const ends = await Promise.allSettled(
      [world.identity, world.identity].map(({ sessions }) => sessions.signIn(sign)),
    );
    assert.equal(ends.filter(({ status }) => status === 'fulfilled').length, 1);
  });

  it('cannot be guessed: wrong ones slow down, and a right password forgives none', async () => {
    const { secret } = await turnOn();
    for (let guess = 1; guess <= 6; guess += 1) {
      await refusedFor(signIn(wrongCode(secret, guess)), 'second-factor-wrong');
      await refusedFor(signIn(), 'second-factor-required');
    }
    const { code, facts } = await refuses(signIn(codeOf(secret)), 'busy');
    assert.equal(code, 'sign-in-throttled');
    assert.ok(Number(facts['retryAfterMs']) > 0);
    world.clock.advance(STEP_MS);
    await signIn(codeOf(secret));
  });

  it('cannot be guessed from many addresses either', async () => {
    const { secret } = await turnOn();
    let [wrongCount, busyCount] = [0, 0];
    for (let guess = 1; guess <= 60; guess += 1) {
      // Whoever guesses has waited out what slows down passwords.
      const address = `203.0.113.${guess}`;
      try {
        await signIn(wrongCode(secret, guess), { address });
      } catch (error) {
        if ((error as { kind: string }).kind === 'busy') busyCount += 1;
        else wrongCount += 1;
      }
      world.clock.advance(1000);
    }
    assert.ok(wrongCount <= 30, `${wrongCount} guesses were judged`);
    assert.ok(busyCount >= 30);
  });

  it('is told of, wrong or right', async () => {
    const { secret } = await turnOn();
    notices.length = 0;
    await refuses(signIn(wrongCode(secret)), 'unauthenticated');
    await signIn(codeOf(secret));
    await refuses(Promise.resolve().then(() => world.identity.authenticateBasic({
      ...OWN, address: AWAY,
    })), 'unauthenticated');
    assert.deepEqual(notices.map(({ act, device, user }) => [act, device, user]), [
      ['sign-in-refused', 'code', ALICE], ['signed-in', 'password and code', ALICE],
    ]);
  });
});

describe('recovery codes', () => {
  it('sign in instead of a code, each once, however they are typed', async () => {
    const { recovery: [first = '', second = ''] } = await turnOn();
    notices.length = 0;
    await signIn(first);
    assert.deepEqual(notices.map(({ act }) => act), ['recovery-code-used', 'signed-in']);
    await refusedFor(signIn(first), 'second-factor-wrong');
    await signIn(` ${second.replaceAll('-', '').toUpperCase()} `);
    assert.equal((await world.identity.secondFactors.stateOf(ALICE)).recoveryCodesLeft, 8);
  });

  it('are kept as digests, and the secret sealed', async () => {
    const { secret, recovery } = await turnOn();
    const kept = [...world.data.secondFactors.values()]
      .map(({ recoveryHashes, ...rest }) => JSON.stringify([rest, ...recoveryHashes])).join();
    for (const code of recovery) {
      assert.ok(!kept.includes(code) && !kept.includes(code.replaceAll('-', '')));
    }
    const { bytes } = Secret.fromBase32(secret);
    for (const text of [secret, Buffer.from(bytes).toString('base64url'),
      Buffer.from(bytes).toString('hex')]) assert.ok(!kept.includes(text));
  });

  it('go on working when the key of the store is lost, while codes do not', async () => {
    const { secret, recovery: [first = ''] } = await turnOn();
    const sign = { ...OWN, device: 'Firefox' };
    const { sessions } = world.elsewhere; // It was opened with another key.
    await refusedFor(sessions.signIn({ ...sign, code: codeOf(secret) }), 'second-factor-wrong');
    await sessions.signIn({ ...sign, code: first });
  });

  it('are void once new ones were made, for which password and code are needed', async () => {
    const { secret, recovery: [first = ''] } = await turnOn();
    const { secondFactors } = world.identity;
    await refusedFor(secondFactors.renewRecoveryCodes({ ...OWN, code: wrongCode(secret) }),
      'second-factor-wrong');
    const [fresh = ''] = await secondFactors.renewRecoveryCodes({ ...OWN, code: codeOf(secret) });
    await refusedFor(signIn(first), 'second-factor-wrong');
    await signIn(fresh);
  });
});

describe('turning a second factor off', () => {
  it('takes the password and a code, or a recovery code', async () => {
    const { secondFactors } = world.identity;
    const { secret, recovery: [first = ''] } = await turnOn();
    const code = codeOf(secret);
    await refuses(secondFactors.turnOff({ ...OWN, password: 'wrong horse', code }),
      'unauthenticated');
    await refusedFor(secondFactors.turnOff({ ...OWN, code: wrongCode(secret) }),
      'second-factor-wrong');
    await secondFactors.turnOff({ ...OWN, code });
    await signIn();
    assert.equal((await world.elsewhere.authenticateBasic(OWN)).user, ALICE);
    await refuses(secondFactors.turnOff({ ...OWN, code: first }), 'conflict');
    const { recovery: [again = ''] } = await turnOn();
    await secondFactors.turnOff({ ...OWN, code: again });
    assert.equal((await secondFactors.stateOf(ALICE)).isOn, false);
    const acts = notices.map(({ act }) => act).filter((act) => act !== 'signed-in');
    assert.deepEqual(acts.filter((act) => act !== 'sign-in-refused'), [
      'second-factor-on', 'second-factor-off', 'second-factor-on', 'recovery-code-used',
      'second-factor-off',
    ]);
  });

  it('can be done for somebody, once', async () => {
    await turnOn();
    assert.equal(await world.elsewhere.secondFactors.turnOffFor(ALICE), true);
    assert.equal(await world.elsewhere.secondFactors.turnOffFor(ALICE), false);
    await signIn();
  });
});

describe('changing the own password', () => {
  it('needs the old one, keeps the second factor, and begins a session', async () => {
    const { secret } = await turnOn();
    const before = await signIn(codeOf(secret));
    const change = { ...OWN, newPassword: 'another horse', device: 'Firefox' };
    await refuses(world.identity.sessions.changePassword({ ...change, password: 'wrong horse' }),
      'unauthenticated');
    const session = await world.identity.sessions.changePassword(change);
    assert.equal((await world.identity.authenticateSession(session?.token ?? '')).user, ALICE);
    await refuses(Promise.resolve().then(() => world.identity.authenticateSession(before.token)),
      'unauthenticated');
    await refusedFor(signIn(undefined, { password: 'another horse' }), 'second-factor-required');
  });
});
