import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { ManualClock } from '../clock.ts';
import { LeasedWork } from './leased-work.ts';
import { MemoryLeases } from './stores/memory/memory-leases.ts';

const TTL_MS = 15_000;

/** A store that does not answer, as long as it is told to. */
class BrokenLeases extends MemoryLeases {
  isBroken = false;

  override async renew(...args: Parameters<MemoryLeases['renew']>): Promise<boolean> {
    if (this.isBroken) throw new Error('no answer');
    return super.renew(...args);
  }
}

describe('LeasedWork', () => {
  let clock: ManualClock;
  let leases: BrokenLeases;
  let running: string[];
  let troubles: unknown[];
  beforeEach(() => {
    clock = new ManualClock(1_000_000);
    leases = new BrokenLeases(clock);
    running = [];
    troubles = [];
  });

  const workOf = (holder: string): LeasedWork => new LeasedWork({
    leases, clock, holder, name: 'sweep', ttlMs: TTL_MS,
    begin: async () => {
      running.push(holder);
      return {
        stop: async () => {
          running.splice(running.indexOf(holder), 1);
        },
      };
    },
    onTrouble: (error) => troubles.push(error),
  });

  /** In steps as small as those of the work, so that every timer meets its answer. */
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 500) {
      clock.advance(500);
      await new Promise(setImmediate);
    }
  };

  it('goes on with one of two for as long as that one renews its lease', async () => {
    const [one, two] = [workOf('one'), workOf('two')];
    await one.start();
    await two.start();
    assert.deepEqual(running, ['one']);
    await pass(5 * TTL_MS);
    assert.deepEqual(running, ['one']);
    assert.deepEqual([one.isHeld, two.isHeld], [true, false]);
    assert.deepEqual(troubles, []);
  });

  it('is taken over soon after the first one has stopped', async () => {
    const [one, two] = [workOf('one'), workOf('two')];
    await one.start();
    await two.start();
    await one.stop();
    assert.deepEqual(running, []);
    await pass(TTL_MS / 5 + 500);
    assert.deepEqual(running, ['two']);
  });

  it('ends before the lease runs out when it cannot be renewed', async () => {
    const one = workOf('one');
    await one.start();
    leases.isBroken = true;
    await pass(TTL_MS * 2 / 3 - 1_000);
    assert.deepEqual(running, ['one']);
    await pass(1_000);
    assert.deepEqual(running, []);
    const [{ leftMs } = { leftMs: 0 }] = await leases.list();
    assert.ok(leftMs > 0, 'nobody else has it yet');
    assert.equal(one.isHeld, false);
    assert.ok(troubles.length > 0);
    leases.isBroken = false;
    await pass(2 * TTL_MS);
    assert.deepEqual(running, ['one'], 'and begins anew when it can');
  });

  it('is not trusted after a sleep, before anybody was asked', async () => {
    const one = workOf('one');
    await one.start();
    assert.equal(one.isHeld, true);
    leases.isBroken = true;
    clock.advance(TTL_MS);
    assert.equal(one.isHeld, false);
  });

  it('ends when somebody else has taken its lease', async () => {
    const one = workOf('one');
    await one.start();
    await leases.take('sweep', 'one', TTL_MS); // Another process of the same name.
    await pass(TTL_MS / 5);
    assert.deepEqual(running, []);
  });
});
