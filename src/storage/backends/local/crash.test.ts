import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StoreTrial, TINY_VOLUMES } from './testing/store-trial.ts';

const SEEDS = 40;
const FIRST_SEED = 1;

/** Works, is killed or loses power at some call, starts again (and perhaps loses power again). */
async function runCrashes(seed: number, faults: boolean): Promise<void> {
  const trial = new StoreTrial(seed);
  const { random } = trial;
  trial.config = {
    ...TINY_VOLUMES,
    pageBytes: random.chance(0.5) ? 4096 : 8,
    hintEveryBlocks: random.chance(0.3) ? 1_000_000 : 5,
  };
  await trial.open();
  for (let round = 0; round < 4; round++) {
    const crashAt = trial.files.calls + 1 + random.below(120);
    const faulty = faults && random.chance(0.7);
    trial.files.plan = ({ number, what }) => {
      if (number >= crashAt) return 'CRASH';
      const refuse = faulty && (what === 'write' || what === 'sync' || what === 'rename');
      return refuse && random.chance(0.06) ? 'EIO' : undefined;
    };
    await trial.work(5 + random.below(50));
    if (random.chance(0.2)) await trial.settle(trial.store.close());
    if (random.chance(0.4)) trial.kill();
    else trial.crash();
    for (let again = 0; random.chance(0.4) && again < 3; again++) {
      const stopAt = 1 + random.below(25);
      trial.files.plan = ({ number }) => (number >= stopAt ? 'CRASH' : undefined);
      await trial.settle(trial.open());
      trial.crash();
    }
    await trial.open();
    await trial.checkPromises();
    assert.equal(trial.store.state().damagedCount, 0);
    const harmless = trial.findings.every(({ kind }) => !kind.startsWith('damaged'));
    assert.ok(harmless, 'a crash was taken for decay');
  }
}

describe('LocalVolumeStore after a power cut', () => {
  it('has everything that was acknowledged, and nothing wrong, wherever it was cut', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      await assert.doesNotReject(runCrashes(seed, false), `seed ${seed}`);
    }
  });

  it('has it too when writes and syncs had failed before', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      await assert.doesNotReject(runCrashes(1_000_000 + seed, true), `seed ${1_000_000 + seed}`);
    }
  });

  it('has all that a start after a kill has found, even after a failed sync', async () => {
    for (let seed = 1; seed < 80; seed++) {
      const trial = new StoreTrial(3_000_000 + seed);
      await trial.open();
      await trial.work(4);
      let failed = false;
      const stopAt = trial.files.calls + 1 + trial.random.below(12);
      trial.files.plan = ({ number, what }) => {
        if (failed) return 'CRASH'; // Before the failed batch can be cut off.
        failed = number >= stopAt;
        return failed && what !== 'sync' ? 'CRASH' : failed ? 'EIO' : undefined;
      };
      await trial.work(6);
      trial.kill();
      await trial.open();
      await trial.checkPromises();
      trial.crash();
      await trial.open();
      await assert.doesNotReject(trial.checkPromises(), `seed ${seed}`);
    }
  });

  it('finds the same after a second start, without a crash between', async () => {
    for (let seed = 1; seed < 40; seed++) {
      const trial = new StoreTrial(2_000_000 + seed);
      await trial.open();
      const crashAt = trial.files.calls + 20 + trial.random.below(80);
      trial.files.plan = ({ number }) => (number >= crashAt ? 'CRASH' : undefined);
      await trial.work(40);
      trial.crash();
      await trial.open();
      const { blockCount, storedBytes } = trial.store.state();
      trial.crash();
      trial.findings.length = 0;
      await trial.open();
      const again = trial.store.state();
      assert.deepEqual([again.blockCount, again.storedBytes], [blockCount, storedBytes]);
      assert.deepEqual(trial.findings, [], `seed ${seed}: the torn tail was not cut durably`);
    }
  });
});
