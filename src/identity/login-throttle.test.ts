import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { ManualClock } from '../platform/index.ts';
import { DEFAULT_IDENTITY_CONFIG, type IdentityConfig } from './config.ts';
import { LoginThrottle, type Attempt } from './login-throttle.ts';

const HOME = '192.0.2.1';
const AWAY = '198.51.100.1';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

let clock: ManualClock;
let throttle: LoginThrottle;
let keyCount = 0;

function reset(changes: Partial<IdentityConfig> = {}): void {
  clock = new ManualClock(1_000_000);
  throttle = new LoginThrottle(clock, { ...DEFAULT_IDENTITY_CONFIG, ...changes });
}

/** How long the throttle tells one to wait; 0 when the attempt may go on. It ends as given. */
function tryOnce(
  address: string, user: string, key = `key ${(keyCount += 1)}`,
  end: (attempt: Attempt) => void = (attempt) => attempt.failed(1),
): number {
  try {
    end(throttle.begin(address, user, key));
    return 0;
  } catch (error) {
    assert.ok(error instanceof HoldfastError && error.kind === 'busy');
    return Number(error.facts['retryAfterMs']);
  }
}

function fail(count: number, address: string, user: string): number[] {
  return Array.from({ length: count }, () => tryOnce(address, user));
}

describe('LoginThrottle', () => {
  beforeEach(() => reset());

  it('lets five wrong passwords pass, then doubles the delay up to 15 minutes', () => {
    assert.deepEqual(fail(6, HOME, 'alice'), [0, 0, 0, 0, 0, 0]);
    const waits: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      const waitMs = tryOnce(HOME, 'alice');
      waits.push(waitMs / 1000);
      clock.advance(waitMs - 1);
      assert.equal(tryOnce(HOME, 'alice'), 1, 'one millisecond early is too early');
      clock.advance(1);
      assert.equal(tryOnce(HOME, 'alice'), 0);
    }
    assert.deepEqual(waits.slice(0, 7), [1, 2, 4, 8, 16, 32, 64]);
    assert.ok(waits.every((wait) => wait <= 15 * 60));
    assert.ok(Math.max(...waits) >= 128);
  });

  it('counts a wrong password that a client repeats once', () => {
    for (let time = 0; time < 100; time += 1) assert.equal(tryOnce(HOME, 'alice', 'same'), 0);
    assert.deepEqual(fail(5, HOME, 'alice'), [0, 0, 0, 0, 0], 'five more were free');
    assert.ok(tryOnce(HOME, 'alice') > 0);
    assert.equal(tryOnce(HOME, 'alice', 'same'), 0, 'and it needs not wait: it is no new guess');
  });

  it('tells that a password was wrong before, and as of which rev', () => {
    const first = throttle.begin(HOME, 'alice', 'key');
    assert.equal(first.wrongAtRev, undefined);
    assert.equal(throttle.begin(HOME, 'alice', 'key').wrongAtRev, undefined, 'not decided yet');
    void first.failed(7);
    assert.equal(throttle.begin(HOME, 'alice', 'key').wrongAtRev, 7);
    void throttle.begin(HOME, 'alice', 'key').failed(8);
    assert.equal(throttle.begin(HOME, 'alice', 'key').wrongAtRev, 8);
    assert.equal(throttle.begin(AWAY, 'alice', 'key').wrongAtRev, undefined, 'elsewhere');
    assert.equal(throttle.begin(HOME, 'bob', 'key').wrongAtRev, undefined, 'another user');
  });

  it('counts attempts that are still under way, so that many at once do not slip through', () => {
    const begun: Attempt[] = [];
    for (let time = 0; time < 100; time += 1) {
      tryOnce(HOME, 'alice', undefined, (attempt) => begun.push(attempt));
    }
    assert.equal(begun.length, 6);
  });

  it('takes back the count of an attempt that was not decided', () => {
    for (let time = 0; time < 100; time += 1) {
      assert.equal(tryOnce(HOME, 'alice', undefined, (attempt) => attempt.abandoned()), 0);
    }
    for (let time = 0; time < 100; time += 1) {
      assert.equal(tryOnce(HOME, `user${time}`, undefined, (attempt) => attempt.abandoned()), 0);
    }
  });

  it('forgives after a success, for this address and user only', () => {
    fail(5, HOME, 'alice');
    fail(6, HOME, 'bob');
    fail(6, AWAY, 'alice');
    assert.equal(tryOnce(HOME, 'alice', undefined, (attempt) => attempt.succeeded()), 0);
    assert.deepEqual(fail(6, HOME, 'alice'), [0, 0, 0, 0, 0, 0]);
    assert.ok(tryOnce(HOME, 'bob') > 0);
    assert.ok(tryOnce(AWAY, 'alice') > 0);
  });

  it('forgets with time: after some hours most attempts are free again', () => {
    fail(6, HOME, 'alice');
    clock.advance(5 * HOUR_MS);
    assert.deepEqual(fail(5, HOME, 'alice'), [0, 0, 0, 0, 0]);
  });

  it('slows down an address that tries many users, and no other address', () => {
    for (let user = 0; user <= 50; user += 1) assert.equal(tryOnce(HOME, `user${user}`), 0);
    assert.ok(tryOnce(HOME, 'alice') > 0);
    assert.equal(tryOnce(AWAY, 'alice'), 0);
  });

  it('slows down many addresses that try one user, by half a minute at most', () => {
    let longestMs = 0;
    for (let address = 0; address < 500; address += 1) {
      const waitMs = tryOnce(`10.0.0.${address}`, 'alice');
      longestMs = Math.max(longestMs, waitMs);
      clock.advance(waitMs);
    }
    assert.equal(longestMs, 30_000);
    assert.equal(tryOnce(AWAY, 'bob'), 0, 'another user is not concerned');
  });

  it('spares an address where the user signed in before from what others do', () => {
    throttle.succeeded(HOME, 'alice');
    for (let address = 0; address < 100; address += 1) tryOnce(`10.0.0.${address}`, 'alice');
    for (let user = 0; user < 100; user += 1) tryOnce(HOME, `user${user}`);
    assert.ok(tryOnce(AWAY, 'alice') > 0);
    assert.ok(tryOnce(HOME, 'bob') > 0);
    assert.deepEqual(fail(6, HOME, 'alice'), [0, 0, 0, 0, 0, 0]);
    assert.ok(tryOnce(HOME, 'alice') > 0, 'its own guesses still count');
  });

  it('keeps to the size of its tables: the least recently touched entry goes', () => {
    const wide = { freeCount: 1e9, delayMs: 1, delayMaxMs: 1 };
    reset({ throttleEntriesMax: 10, throttleAddress: wide, throttleUser: wide });
    fail(6, HOME, 'alice');
    fail(6, HOME, 'bob');
    for (let user = 0; user < 9; user += 1) {
      tryOnce(AWAY, `user${user}`);
      assert.ok(tryOnce(HOME, 'bob') > 0, 'touched again and again');
    }
    assert.equal(tryOnce(HOME, 'alice'), 0, 'long untouched');
  });

  it('remembers a bounded number of wrong passwords, and counts older ones anew', () => {
    const endless = { freeCount: 1e9, delayMs: 1, delayMaxMs: 1 };
    reset({ throttlePair: endless, throttleAddress: endless, throttleUser: endless });
    for (let key = 0; key < 40; key += 1) tryOnce(HOME, 'alice', `old ${key}`);
    assert.equal(throttle.begin(HOME, 'alice', 'old 39').wrongAtRev, 1);
    assert.equal(throttle.begin(HOME, 'alice', 'old 0').wrongAtRev, undefined);
  });
});
