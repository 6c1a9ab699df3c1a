/** What is done while fewer disks take copies than a volume should have. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { FaultPlan } from '../backends/local/testing/simulated-volume-files.ts';
import { ReplicatedTrial, type TrialSetup } from './testing/replicated-trial.ts';

const THREE: TrialSetup = { seed: 1, disks: 3, policy: { copies: 3, acksMin: 2, domain: 'host' } };
const FOUR: TrialSetup = { seed: 1, disks: 4, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const QUARTER_HOUR_MS = 15 * 60_000;
/** Longer than a disk is ever left alone. */
const REST_MS = 13 * 60_000;

async function opened(setup: TrialSetup): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(setup);
  await trial.open();
  return trial;
}

async function putAll(trial: ReplicatedTrial, count: number): Promise<void> {
  for (let number = 0; number < count; number++) {
    assert.equal(await trial.tryPut(trial.block(3000)), undefined);
  }
}

function holdersOf(trial: ReplicatedTrial, name: string): number {
  return trial.disks.filter(({ volumes }) => volumes.includes(name)).length;
}

/** Files can be made there, and nothing can be written to them. */
const takesNothing: FaultPlan = ({ what, name }) =>
  (name.includes('.copying') && what === 'write' ? 'EIO' : undefined);

describe('new volumes, with a disk less than copies', () => {
  it('begin with W copies, and get the rest as soon as the disk is back', async () => {
    const trial = await opened(THREE);
    await trial.work(20);
    trial.disk(0).away = true;
    await putAll(trial, 40);
    const names = trial.disk(1).volumes.filter((name) => holdersOf(trial, name) === 2);
    assert.ok(names.length > 2, 'no new volume was made');
    await trial.sweep(2);
    const { blocked, volumesWaiting } = trial.repair.status();
    assert.ok(volumesWaiting >= names.length);
    assert.match(blocked.at(-1)?.reason ?? '', /1 more copy needs 1 more host.*not answering/);
    const before = trial.disk(1).volumes.length;
    await putAll(trial, 1);
    assert.ok(trial.disk(1).volumes.length <= before + 1, 'each sweep ends a volume in vain');
    trial.disk(0).away = false;
    await trial.sweep(2);
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('go on as they are while nothing more can be had, and end when it can', async () => {
    const trial = await opened({ ...THREE, config: { volumeBytesMax: 1024 ** 2 } });
    trial.disk(0).away = true;
    await putAll(trial, 2);
    for (let count = 0; count < 5; count++) {
      await trial.sweep();
      await putAll(trial, 1);
    }
    assert.equal(trial.disk(1).volumes.length, 1);
    trial.disk(0).away = false;
    await trial.sweep(2);
    assert.equal(holdersOf(trial, trial.disk(1).volumes[0] as string), 3);
  });

  it('are refused below W, with the reason', async () => {
    const trial = await opened(THREE);
    for (const at of [0, 1]) trial.disk(at).away = true;
    const refused = await trial.tryPut(trial.block(300));
    assert.ok(isKind(refused, 'unavailable'));
    assert.match(String(refused.facts['reason']), /2 copies need 2 hosts; only 1 host has room/);
  });

  it('do not begin with fewer because a disk is full: that is no lost one', async () => {
    const trial = await opened(THREE);
    trial.disk(0).plan = ({ what }) => (what === 'open' ? 'ENOSPC' : undefined);
    assert.ok(isKind(await trial.tryPut(trial.block(300)), 'full'));
    assert.deepEqual(trial.disks.map(({ volumes }) => volumes.length), [0, 0, 0]);
  });

  it('can be trusted after a crash when one of the two copies is all there is', async () => {
    for (const away of [1, 2]) {
      const trial = await opened(THREE);
      trial.disk(0).away = true;
      await putAll(trial, 3);
      trial.noteWitness();
      trial.restart('crash');
      trial.disk(0).away = false;
      trial.disk(away).away = true;
      await trial.open();
      await trial.checkPromises();
      await putAll(trial, 3);
      trial.disk(away).away = false;
      await trial.sweep(3);
      await trial.checkPromises();
      trial.checkFullCopies();
    }
  });
});

describe('a disk that answers and refuses what is written', () => {
  it('is left alone for longer and longer, and the copies go elsewhere', async () => {
    const trial = await opened(FOUR);
    await trial.work(120);
    const refusing = trial.disk(3);
    let tries = 0;
    refusing.plan = (call) => {
      const code = takesNothing(call);
      if (code !== undefined) tries++;
      return code;
    };
    trial.disk(0).away = true;
    await trial.sweep();
    trial.clock.advance(QUARTER_HOUR_MS);
    await trial.sweep(2);
    assert.ok(tries > 1, 'it was never chosen');
    trial.checkFullCopies();
    assert.ok(tries < 6, `it was tried ${tries} times`);
  });

  it('is tried again less and less often where there is no other, and then used', async () => {
    const trial = await opened({ ...FOUR, disks: 3 });
    await trial.work(120);
    let tries = 0;
    for (const at of [1, 2]) {
      trial.disk(at).plan = (call) => {
        const code = takesNothing(call);
        if (code !== undefined) tries++;
        return code;
      };
    }
    trial.disk(0).away = true;
    trial.clock.advance(1);
    await trial.sweep();
    trial.clock.advance(QUARTER_HOUR_MS);
    await trial.sweep(100);
    assert.ok(tries > 10 && tries < 40, `${tries} times in 100 sweeps`);
    const { blocked } = trial.repair.status();
    assert.match(blocked[0]?.reason ?? '', /refusing writes/);
    for (const disk of trial.disks) disk.plan = () => undefined;
    trial.clock.advance(REST_MS);
    await trial.sweep(2);
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('gets new volumes only where W would not be had without it', async () => {
    for (const acksMin of [1, 2]) {
      const trial = await opened({ ...FOUR, disks: 2, policy: { ...FOUR.policy, acksMin } });
      let tries = 0;
      trial.disk(1).plan = ({ what, name }) => {
        const fails = name.includes('.hv') && what === 'write';
        if (fails) tries++;
        return fails ? 'EIO' : undefined;
      };
      for (let count = 0; count < 60; count++) await trial.tryPut(trial.block(3000));
      if (acksMin === 1) assert.ok(tries < 12, `${tries} times`);
      else assert.equal(trial.acknowledged.size, 0);
      assert.ok(trial.acknowledged.size > 0 || acksMin === 2);
    }
  });
});
