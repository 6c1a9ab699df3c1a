import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { HoldfastError } from '../base/errors.ts';
import { ManualClock, silentLog } from '../platform/index.ts';
import { whenDatabaseIsThere } from './patient-start.ts';

const away = new HoldfastError('unavailable', 'test', 'away', { code: 'database-away' });

describe('A start that needs a database', () => {
  it('tries again, less and less often, until the database is there', async () => {
    const clock = new ManualClock(0);
    const triedAt: number[] = [];
    const opening = whenDatabaseIsThere(async () => {
      triedAt.push(clock.now());
      if (triedAt.length < 9) throw away;
      return 'opened';
    }, { clock, log: silentLog });
    let isOver = false;
    const over = opening.then((answer) => {
      isOver = true;
      return answer;
    });
    while (!isOver) {
      await turn();
      clock.advance(500);
    }
    assert.equal(await over, 'opened');
    const pauses = triedAt.slice(1).map((at, index) => at - (triedAt[index] ?? 0));
    for (const [index, pauseMs] of pauses.entries()) {
      const leastMs = Math.min(1_000 * 2 ** index, 30_000);
      assert.ok(pauseMs >= leastMs && pauseMs <= 31_000, pauses.join(' '));
    }
  });

  it('tries again also where the budget of retries was spent', async () => {
    const spent = new HoldfastError('busy', 'test', 's', { code: 'database-retries-spent' });
    const clock = new ManualClock(0);
    let tries = 0;
    const opening = whenDatabaseIsThere(async () => {
      tries += 1;
      if (tries === 1) throw spent;
      return tries;
    }, { clock, log: silentLog });
    await turn();
    clock.advance(1_000);
    assert.equal(await opening, 2);
  });

  it('does not wait for what no waiting mends', async () => {
    const refused = new HoldfastError('unavailable', 'test', 'no', { code: 'database-refused' });
    await assert.rejects(whenDatabaseIsThere(() => Promise.reject(refused), {
      clock: new ManualClock(0), log: silentLog,
    }), refused);
  });

  it('ends when it is told to stop', async () => {
    const stop = new AbortController();
    const opening = whenDatabaseIsThere(() => Promise.reject(away), {
      clock: new ManualClock(0), log: silentLog, stopping: stop.signal,
    });
    const reason = new Error('stop');
    stop.abort(reason);
    await assert.rejects(opening, reason);
  });
});
