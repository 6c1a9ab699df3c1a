/** What becomes of copies that are said to be wrong, and of volumes without a whole one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { ReplicatedTrial, type TrialSetup } from './testing/replicated-trial.ts';

const TWO: TrialSetup = { seed: 1, disks: 2, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const FIRST = 'v00000001.1.hv';
const HOUR_MS = 60 * 60_000;

async function filled(setup = TWO): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(setup);
  await trial.open();
  await trial.work(80);
  return trial;
}

function rot(trial: ReplicatedTrial, disk: number, at = 6000): void {
  const { files } = trial.disk(disk);
  const bytes = Buffer.from(files.content(FIRST));
  bytes[at] = (bytes[at] as number) ^ 4;
  files.setContent(FIRST, bytes);
}

describe('RepairWorker.propose', () => {
  it('has a copy made anew that is wrong indeed, and touches no other', async () => {
    const trial = await filled();
    rot(trial, 1);
    assert.equal(await trial.repair.propose({ volumeId: 1, diskId: 'd1' }), 'sound');
    assert.equal(await trial.repair.propose({ volumeId: 1, diskId: 'd2' }), 'repairing');
    assert.equal(await trial.repair.propose({ volumeId: 1, diskId: 'd2' }), 'known');
    await trial.sweep();
    trial.checkFullCopies();
    assert.equal(await trial.repair.propose({ volumeId: 1, diskId: 'd2' }), 'sound');
    const kinds = trial.copyFindings.map(({ kind, diskId }) => `${kind} ${diskId}`);
    assert.deepEqual(kinds, ['copy-damaged d2', 'copy-made d2']);
  });

  it('believes nothing that is not there, not there any more, or out of reach', async () => {
    const trial = await filled();
    const last = Math.max(...trial.disk(0).volumes.map((name) => Number(name.slice(1, 9))));
    assert.equal(await trial.repair.propose({ volumeId: 999, diskId: 'd1' }), 'absent');
    assert.equal(await trial.repair.propose({ volumeId: 1, diskId: 'd7' }), 'absent');
    const written = await trial.repair.propose({ volumeId: last, diskId: 'd1' });
    assert.equal(written, 'being-written');
    rot(trial, 0);
    const proposed = trial.repair.propose({ volumeId: 1, diskId: 'd1' });
    rot(trial, 0);
    assert.equal(await proposed, 'sound', 'what was proposed was not looked at');
    trial.disk(1).away = true;
    await trial.sweep();
    assert.equal(await trial.repair.propose({ volumeId: 1, diskId: 'd2' }), 'unreachable');
  });

  it('refuses what is too much to be looked at', async () => {
    const trial = await filled();
    const all = Array.from({ length: 70 }, () =>
      trial.repair.propose({ volumeId: 1, diskId: 'd1' }));
    const outcomes = await Promise.allSettled(all);
    const refused = outcomes.filter((one) => one.status === 'rejected');
    assert.equal(refused.length, 6);
    assert.ok(refused.every(({ reason }) => isKind(reason, 'busy')));
  });

  it('looks at all copies when none gave the right bytes', async () => {
    const trial = await filled();
    assert.equal(await trial.repair.propose({ volumeId: 1 }), 'sound');
    rot(trial, 0);
    trial.clock.advance(HOUR_MS);
    assert.equal(await trial.repair.propose({ volumeId: 1 }), 'repairing');
    await trial.sweep();
    trial.checkFullCopies();
  });
});

describe('a volume of which no copy is whole', () => {
  it('is named, with the disks it is on, until a whole copy is back', async () => {
    const trial = await filled();
    const whole = Buffer.from(trial.disk(0).files.content(FIRST));
    assert.deepEqual(trial.repair.status().damaged, []);
    for (const at of [0, 1]) rot(trial, at);
    assert.equal(await trial.repair.propose({ volumeId: 1 }), 'damaged');
    await trial.sweep();
    const { damaged, volumesWaiting } = trial.repair.status();
    assert.equal(volumesWaiting, 1);
    assert.deepEqual(damaged.map(({ volumeId, diskIds, awayIds }) =>
      [volumeId, diskIds.join(), awayIds.join()]), [[1, 'd1,d2', '']]);
    assert.match(damaged[0]?.reason ?? '', /damaged in all copies/);
    // As the runbook has it: the server is stopped, and a whole copy put in the place of one.
    trial.restart('kill');
    trial.disk(0).files.setContent(FIRST, whole);
    await trial.open();
    await trial.repair.propose({ volumeId: 1 });
    await trial.sweep(2);
    assert.deepEqual(trial.repair.status().damaged, []);
    trial.checkFullCopies();
    await trial.checkPromises();
  });

  it('is not read again and again in vain', async () => {
    const trial = await filled();
    for (const at of [0, 1]) rot(trial, at);
    await trial.repair.propose({ volumeId: 1 });
    let opened = 0;
    trial.disk(0).plan = (call) => {
      if (call.what === 'open' && call.name === FIRST) opened++;
      return undefined;
    };
    await trial.sweep();
    const first = opened;
    assert.ok(first > 0);
    await trial.sweep(120);
    assert.ok(opened < first * 9, `opened ${opened} times in ten minutes`);
  });

  it('is put together from two that are damaged in different places', async () => {
    const trial = await filled();
    rot(trial, 0, 6000);
    rot(trial, 1, 9000);
    assert.equal(await trial.repair.propose({ volumeId: 1 }), 'damaged');
    await trial.sweep(2);
    assert.deepEqual(trial.repair.status().damaged, []);
    trial.checkFullCopies();
    await trial.checkPromises();
  });
});
