import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SweepPace } from './sweep-pace.ts';

/** A database that needs so long for a row and for a commit, and makes us wait. */
function sweep(
  rowCount: number, { rowMs, commitMs, waitedMs = 0, rowsPerSecond = 1_000_000 }: {
    rowMs: number; commitMs: number; waitedMs?: number; rowsPerSecond?: number;
  },
) {
  const pace = new SweepPace(rowsPerSecond, 1_000);
  let [nowMs, busyMs, lastHeldMs] = [0, 0, 0];
  for (let done = 0; done < rowCount; done += pace.rows) {
    const upgradedCount = pace.rows;
    lastHeldMs = commitMs + upgradedCount * rowMs;
    nowMs += waitedMs + lastHeldMs;
    busyMs += lastHeldMs;
    nowMs += pace.restAfter({ upgradedCount, waitedMs, heldMs: lastHeldMs, next: undefined });
  }
  return { seconds: nowMs / 1000, share: busyMs / nowMs, lastHeldMs };
}

describe('SweepPace', () => {
  it('keeps to the budget on a database that is fast', () => {
    const { seconds } = sweep(10_000, { rowMs: 0.001, commitMs: 0.1, rowsPerSecond: 200 });
    assert.ok(seconds >= 49 && seconds < 52, `${seconds} s`);
  });

  it('holds nobody up for long, whatever a row costs, and never for more than a tenth', () => {
    for (const rowMs of [0.01, 0.1, 1, 5]) {
      const { lastHeldMs, share } = sweep(20_000, { rowMs, commitMs: 1 });
      assert.ok(lastHeldMs <= 2 * (1 + 2 * rowMs) + 5, `${lastHeldMs} ms at ${rowMs} ms a row`);
      assert.ok(share <= 0.101, `${share} of the time at ${rowMs} ms a row`);
    }
  });

  it('backs off when the database becomes slow, or others queue for it', () => {
    const calm = sweep(5_000, { rowMs: 0.05, commitMs: 1 });
    const slow = sweep(5_000, { rowMs: 0.5, commitMs: 10 });
    const queued = sweep(5_000, { rowMs: 0.05, commitMs: 1, waitedMs: 200 });
    assert.ok(slow.seconds > 8 * calm.seconds, `${calm.seconds}, then ${slow.seconds} s`);
    assert.ok(queued.seconds > 8 * calm.seconds, `${calm.seconds}, then ${queued.seconds} s`);
    assert.ok(queued.share < 0.05);
  });
});
