import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError } from '../../base/errors.ts';
import type { Clock } from '../clock.ts';
import { ServerError } from './faults.ts';
import { BEATEN_PAUSE_MAX_MS, FAILING_MAX_MS, TRIES_MAX, patiently } from './patience.ts';

const GONE = new ServerError({ code: 'ECONNRESET', errno: 0, message: 'gone', isLost: true });
const BEATEN = new ServerError({
  code: 'ER_LOCK_DEADLOCK', errno: 1213, message: 'beaten', isLost: false,
});
const WRONG = new ServerError({ code: 'ER_PARSE', errno: 1064, message: 'w', isLost: false });

/** Time passes only while somebody pauses, and with each try. */
class HurriedClock implements Clock {
  nowMs = 0;
  readonly pauses: number[] = [];
  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  after(delayMs: number, act: () => void): () => void {
    this.pauses.push(delayMs);
    this.nowMs += delayMs;
    setImmediate(act);
    return () => undefined;
  }
}

async function triesOf(error: Error, tryMs = 0): Promise<{ tries: number; clock: HurriedClock }> {
  const clock = new HurriedClock();
  let tries = 0;
  await assert.rejects(patiently(clock, async () => {
    tries += 1;
    clock.nowMs += tryMs;
    throw error;
  }), error);
  return { tries, clock };
}

describe('Patience with a database server', () => {
  it('ends after a number of tries, with pauses that grow up to a bound', async () => {
    const { tries, clock: { pauses } } = await triesOf(GONE);
    assert.equal(tries, TRIES_MAX);
    assert.equal(pauses.length, TRIES_MAX - 1);
    for (const [at, pause] of pauses.entries()) {
      assert.ok(pause >= Math.min(25 * 2 ** at, 1_000) && pause <= 2_000, String(pauses));
    }
  });

  it('goes on without growing pauses while others come first, for as long as anybody may wait',
    async () => {
      const lost = { code: 'ELOST', errno: 0, message: 'undone at its end', isLost: true };
      for (const error of [BEATEN, new ServerError(lost, BEATEN)]) {
        const { tries, clock: { pauses, nowMs } } = await triesOf(error, 20);
        assert.ok(tries >= FAILING_MAX_MS / (BEATEN_PAUSE_MAX_MS + 20), `${tries} tries`);
        assert.ok(pauses.every((ms) => ms >= 10 && ms <= BEATEN_PAUSE_MAX_MS), String(pauses));
        assert.ok(nowMs <= FAILING_MAX_MS + BEATEN_PAUSE_MAX_MS + 20, `${nowMs} ms`);
      }
    });

  it('ends sooner when each try takes long', async () => {
    assert.equal((await triesOf(GONE, FAILING_MAX_MS + 1)).tries, 1);
    assert.equal((await triesOf(GONE, FAILING_MAX_MS * 0.6)).tries, 2);
  });

  it('has none with what does not pass', async () => {
    for (const error of [WRONG, new HoldfastError('denied', 'x', 'no'), new Error('a bug')]) {
      assert.equal((await triesOf(error)).tries, 1);
    }
  });

  it('answers what the first try that succeeds has answered', async () => {
    let tries = 0;
    const answer = await patiently(new HurriedClock(), async () => {
      tries += 1;
      if (tries < 3) throw GONE;
      return tries;
    });
    assert.equal(answer, 3);
  });
});
