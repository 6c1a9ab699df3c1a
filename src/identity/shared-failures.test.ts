import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { HoldfastError } from '../base/errors.ts';
import { ManualClock } from '../platform/index.ts';
import { DEFAULT_IDENTITY_CONFIG } from './config.ts';
import type { FailureCounts } from './failure-counts.ts';
import { LoginThrottle } from './login-throttle.ts';
import type { Attempt } from './login-throttle.ts';
import { SharedFailures } from './shared-failures.ts';
import { MemoryFailureCounts } from './stores/memory/memory-failure-counts.ts';

const HOME = '192.0.2.1';
const AWAY = '198.51.100.1';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const SERVERS = 4;

let clock: ManualClock;
let counts: MemoryFailureCounts;
let faults: unknown[];
let writes: number;
let isAway: boolean;
let servers: LoginThrottle[];
let typed = 0;

/** Counts, and can be away. */
function counted(under: FailureCounts): FailureCounts {
  const reached = <T>(act: () => Promise<T>): Promise<T> => (isAway
    ? Promise.reject(new HoldfastError('unavailable', 'test', 'The database is away.')) : act());
  return {
    read: (names) => reached(() => under.read(names)),
    update: (names, act) => reached(() => {
      writes += 1;
      return under.update(names, act);
    }),
    close: () => under.close(),
  };
}

function makeServer(): LoginThrottle {
  const failures = new SharedFailures({
    counts: counted(counts), clock, key: new Uint8Array(32), onFault: (err) => faults.push(err),
  });
  return new LoginThrottle(clock, DEFAULT_IDENTITY_CONFIG, { failures, scope: 'password' });
}

beforeEach(() => {
  clock = new ManualClock(1_000_000);
  counts = new MemoryFailureCounts(clock);
  faults = [];
  writes = 0;
  isAway = false;
  servers = Array.from({ length: SERVERS }, makeServer);
});

const at = (server: number): LoginThrottle => servers[server % SERVERS] as LoginThrottle;

/** 0: it was tried. Otherwise how long to wait. */
async function tryAt(
  server: number, address: string, user: string,
  { secret = `secret ${typed += 1}`, end = (attempt: Attempt) => attempt.failed(1) }: {
    secret?: string; end?: (attempt: Attempt) => Promise<void> | void;
  } = {},
): Promise<number> {
  try {
    // As each server has a key of its own for what it remembers.
    const attempt = at(server).begin(address, user, `${server % SERVERS} ${secret}`, secret);
    if (attempt.wrongAtRev !== undefined) return 0;
    await attempt.admit();
    await end(attempt);
    return 0;
  } catch (error) {
    assert.ok(error instanceof HoldfastError && error.code === 'sign-in-throttled');
    return Number(error.facts['retryAfterMs']);
  }
}

/** Everything that was noted without being waited for. */
const settled = (): Promise<void> => new Promise((resolve) => {
  setImmediate(resolve);
});

const right = (attempt: Attempt): void => attempt.succeeded();

describe('Servers that count failures together', () => {
  /** How many guesses somebody has in so many hours, who asks all servers at each moment. */
  async function guessesIn(hours: number, count: number): Promise<number> {
    let guesses = 0;
    for (const end = clock.now() + hours * HOUR_MS; clock.now() < end; clock.advance(10_000)) {
      const waits = await Promise.all(Array.from({ length: count }, (_, server) =>
        tryAt(server, HOME, 'alice')));
      guesses += waits.filter((waitMs) => waitMs === 0).length;
    }
    return guesses;
  }

  it('leave a guesser who asks all of them as few tries as one server would', async (t) => {
    const alone = await guessesIn(12, 1);
    assert.ok(alone > 20 && alone < 200, `${alone} with one`);
    clock.advance(1_000 * HOUR_MS);
    servers = servers.map(makeServer);
    const together = await guessesIn(12, SERVERS);
    // What is asked at the very first moment is begun before anybody has failed.
    t.diagnostic(`${together} with ${SERVERS}, ${alone} with one`);
    assert.ok(together <= alone + SERVERS, `${together} with ${SERVERS}, ${alone} with one`);
  });

  it('let one of many attempts go on when a wait is over', async () => {
    for (let time = 0; time < 10; time += 1) await tryAt(time, HOME, 'alice');
    clock.advance(HOUR_MS / 2);
    const waits = await Promise.all([0, 1, 2, 3].map((server) => tryAt(server, HOME, 'alice')));
    assert.equal(waits.filter((waitMs) => waitMs === 0).length, 1, waits.join(' '));
  });

  it('slow down an address that tries many users, and many addresses that try one', async () => {
    for (let user = 0; user < 60; user += 1) await tryAt(user, HOME, `user${user}`);
    assert.ok(await tryAt(1, HOME, 'alice') > 0);
    assert.equal(await tryAt(1, AWAY, 'alice'), 0);
    for (let address = 0; address < 30; address += 1) {
      await tryAt(address, `10.0.0.${address}`, 'bob');
    }
    const waitMs = await tryAt(2, AWAY, 'bob');
    assert.ok(waitMs > 0 && waitMs <= 30_000, `${waitMs}`);
  });

  it('ask nothing of who signs in well, but one look, and write nothing', async () => {
    assert.equal(await tryAt(0, HOME, 'alice', { end: right }), 0);
    assert.equal(await tryAt(1, AWAY, 'bob', { end: right }), 0);
    await settled();
    assert.equal(writes, 0);
    await tryAt(0, HOME, 'alice');
    assert.equal(writes, 1);
  });

  it('count a wrong password once that a client sends to all of them', async () => {
    for (let time = 0; time < 20; time += 1) {
      assert.equal(await tryAt(time, HOME, 'alice', { secret: 'outdated' }), 0);
    }
    for (let time = 0; time < 5; time += 1) assert.equal(await tryAt(time, HOME, 'alice'), 0);
    assert.ok(await tryAt(3, HOME, 'alice') > 0);
  });

  it('forgive after a success, at every server', async () => {
    for (let time = 0; time < 5; time += 1) await tryAt(time, HOME, 'alice');
    assert.equal(await tryAt(1, HOME, 'alice', { end: right }), 0);
    await settled();
    for (const server of [2, 3, 0, 1, 2]) assert.equal(await tryAt(server, HOME, 'alice'), 0);
  });

  it('take back what was not decided, and what was right', async () => {
    for (let time = 0; time < 5; time += 1) await tryAt(time, HOME, 'alice');
    for (let time = 0; time < 20; time += 1) {
      const end = (attempt: Attempt): void => attempt.abandoned();
      assert.equal(await tryAt(time, HOME, 'alice', { end }), 0, `${time}`);
      await settled();
    }
  });

  it('spare an address where a user has signed in from what strangers do elsewhere', async () => {
    for (let address = 0; address < 15; address += 1) {
      await tryAt(address, `10.0.0.${address}`, 'alice');
    }
    assert.equal(await tryAt(0, HOME, 'alice', { end: right }), 0);
    await settled();
    for (let address = 0; address < 60; address += 1) {
      await tryAt(1 + address % 3, `10.0.1.${address}`, 'alice');
    }
    assert.ok(await tryAt(0, AWAY, 'alice') > 0);
    const fresh = servers.push(makeServer()) - 1;
    const throttle = servers[fresh] as LoginThrottle;
    await throttle.begin(HOME, 'alice', 'right', 'right').admit();
  });

  it('count on, each for itself, while nobody can be asked, and say so once a minute', async () => {
    isAway = true;
    const waits: number[] = [];
    for (let time = 0; time < 7; time += 1) waits.push(await tryAt(0, HOME, 'alice'));
    assert.ok(waits.slice(0, 6).every((waitMs) => waitMs === 0));
    assert.ok((waits[6] ?? 0) > 0);
    assert.equal(faults.length, 1);
    clock.advance(2 * MINUTE_MS);
    await tryAt(1, HOME, 'alice');
    assert.equal(faults.length, 2);
  });

  it('are not waited for longer than a second', async () => {
    const never: FailureCounts = {
      read: () => new Promise(() => undefined), update: () => new Promise(() => undefined),
      close: () => Promise.resolve(),
    };
    const failures = new SharedFailures({
      counts: never, clock, key: new Uint8Array(32), onFault: (err) => faults.push(err),
    });
    const throttle = new LoginThrottle(clock, DEFAULT_IDENTITY_CONFIG, {
      failures, scope: 'password',
    });
    const attempts = Array.from({ length: 110 }, (_, user) =>
      throttle.begin(`10.0.0.${user}`, `user${user}`, 'x'));
    const asked = attempts.map((attempt) => attempt.admit());
    await Promise.all(asked.slice(100)); // Beyond the bound nobody is asked.
    clock.advance(1_000);
    await Promise.all(asked);
    assert.equal(faults.length, 1);
  });
});
