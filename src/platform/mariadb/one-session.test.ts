import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { OneByOne } from './one-by-one.ts';
import { OneSession } from './one-session.ts';
import { FAILING_MAX_MS } from './patience.ts';

const WORDS = { op: 'tests/OneSession', database: 'database' };
/** Longer ones are deadlines. */
const PAUSE_MAX_MS = 2_000;

/** Time passes only when a test says so; pauses are noted. */
class NotingClock implements Clock {
  nowMs = 0;
  readonly pauses: number[] = [];
  now = (): number => this.nowMs;
  monotonic = (): number => this.nowMs;
  after(delayMs: number, act: () => void): () => void {
    if (delayMs > PAUSE_MAX_MS) return systemClock.after(delayMs, act);
    this.pauses.push(delayMs);
    setImmediate(act);
    return () => undefined;
  }
}

/** A port where nobody listens. */
async function deadPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('OneSession', () => {
  it('tries a few times, with pauses that grow and differ, and says that nobody is there',
    async () => {
      const address = {
        host: '127.0.0.1', port: await deadPort(), user: 'x', password: '', database: 'x',
      };
      const pausesOf = async (): Promise<number[]> => {
        const clock = new NotingClock();
        const session = new OneSession({ address, clock, words: WORDS });
        await assert.rejects(session.transact(() => Promise.resolve()),
          (error) => isKind(error, 'unavailable'));
        await session.close();
        return clock.pauses;
      };
      const [first, second] = [await pausesOf(), await pausesOf()];
      assert.equal(first.length, 4);
      for (const [at, pauseMs] of first.entries()) {
        assert.ok(pauseMs >= 25 * 2 ** at && pauseMs <= 50 * 2 ** at, String(first));
      }
      assert.notDeepEqual(first, second);
    });
});

describe('OneByOne', () => {
  it('keeps the order, and goes on behind one that failed', async () => {
    const queue = new OneByOne({ clock: new NotingClock(), words: WORDS });
    const seen: number[] = [];
    const given = [1, 2, 3].map((each) => queue.run(async () => {
      await new Promise((resolve) => {
        setTimeout(resolve, 4 - each);
      });
      seen.push(each);
      if (each === 2) throw new HoldfastError('denied', 'tests', 'no');
      return each;
    }));
    const ended = await Promise.allSettled(given);
    await queue.idle();
    assert.deepEqual(seen, [1, 2, 3]);
    assert.deepEqual(ended.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
  });

  it('takes so many, and asks nothing for who has waited too long', async () => {
    const clock = new NotingClock();
    const queue = new OneByOne({ clock, words: WORDS });
    const first = Promise.withResolvers<undefined>();
    let asked = 0;
    const waiting = [queue.run(() => first.promise), ...Array.from({ length: 1_023 }, () =>
      queue.run(async () => {
        asked += 1;
      }))];
    const ended = Promise.allSettled(waiting);
    await assert.rejects(queue.run(() => Promise.resolve()), (error) => isKind(error, 'busy'));
    clock.nowMs += FAILING_MAX_MS + 1;
    first.resolve(undefined);
    const refused = (await ended).filter((each) => each.status === 'rejected');
    assert.equal(refused.length, 1_023);
    assert.ok(refused.every(({ reason }) => isKind(reason, 'busy')));
    assert.equal(asked, 0);
    assert.equal(await queue.run(() => Promise.resolve(7)), 7);
  });
});
