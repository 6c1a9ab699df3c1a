/** Volumes that leave while one of their disks is away, and what that disk brings back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import { ReplicatedTrial, type TrialDisk, type TrialSetup } from './testing/replicated-trial.ts';

const TWO: TrialSetup = { seed: 1, disks: 2, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const THREE: TrialSetup = { seed: 1, disks: 3, policy: { copies: 3, acksMin: 2, domain: 'host' } };
const FIRST = 'v00000001.1.hv';

const QUARTER_HOUR_MS = 15 * 60_000;

/** Volume 1 is empty, and may leave. */
async function emptied({ setup = THREE, away = [] as number[] } = {}): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(setup);
  await trial.open();
  await trial.work(80);
  for (const at of away) trial.disk(at).away = true;
  await trial.sweep();
  assert.ok(await trial.settle(trial.store.keeper.compact(1)));
  return trial;
}

async function moveToTrash(trial: ReplicatedTrial): Promise<void> {
  assert.ok(await trial.settle(trial.store.keeper.moveToTrash(1)));
}

function has(disk: TrialDisk, ending = ''): boolean {
  return disk.files.names().includes(`${FIRST}${ending}`);
}

function isLetGo(disk: TrialDisk): boolean {
  return !has(disk) && disk.files.names().some((name) => name.startsWith(`${FIRST}.bad-`));
}

describe('a volume that leaves while a disk is away', () => {
  it('goes from W disks, and the copy of the one that returns goes to its trash', async () => {
    const trial = await emptied({ away: [0] });
    await moveToTrash(trial);
    assert.deepEqual(trial.disks.map((disk) => has(disk, '.trash')), [false, true, true]);
    trial.disk(0).away = false;
    await trial.sweep();
    assert.ok(isLetGo(trial.disk(0)));
    await trial.checkPromises();
    trial.checkFullCopies();
    trial.restart('kill');
    await trial.open();
    assert.deepEqual(trial.disks.map((disk) => has(disk)), [false, false, false]);
    await trial.checkPromises();
  });

  it('is not brought back by a disk that returns with a start', async () => {
    const trial = await emptied({ away: [2] });
    await moveToTrash(trial);
    await trial.store.keeper.unlink(1);
    trial.noteWitness();
    trial.restart('crash');
    trial.disk(2).away = false;
    await trial.open();
    assert.ok(isLetGo(trial.disk(2)));
    await trial.sweep();
    await trial.checkPromises();
    trial.checkFullCopies();
    assert.deepEqual(trial.findings, []);
  });

  it('is not brought back by a returning copy of which hardly anything is right', async () => {
    for (const name of [FIRST, 'v00000001.1.copies']) {
      const trial = await emptied({ away: [2] });
      await moveToTrash(trial);
      const { files } = trial.disk(2);
      const bytes = Buffer.from(files.content(name));
      files.setContent(name, bytes.fill(1, 0, Math.min(bytes.length, 9000)));
      trial.noteWitness();
      trial.restart('kill');
      trial.disk(2).away = false;
      await trial.open();
      assert.ok(isLetGo(trial.disk(2)), name);
      await trial.checkPromises();
    }
  });

  it('stays when fewer than W copies are there', async () => {
    for (const [setup, away] of [[TWO, [0]], [THREE, [0, 1]]] as const) {
      const trial = await emptied({ setup });
      for (const at of away) trial.disk(at).away = true;
      await trial.sweep();
      const moved = trial.store.keeper.moveToTrash(1);
      moved.catch(() => undefined);
      await trial.settle(moved.catch(() => undefined));
      await assert.rejects(moved, (error) => isKind(error, 'unavailable'));
      for (const at of away) trial.disk(at).away = false;
      await trial.sweep(2);
      assert.ok(trial.disks.every((disk) => has(disk)));
      trial.checkFullCopies();
      await trial.checkPromises();
    }
  });

  it('is not taken for gone when it came back from the trash while a disk was away', async () => {
    const trial = await emptied();
    await moveToTrash(trial);
    trial.disk(1).away = true;
    await trial.sweep();
    trial.clock.advance(QUARTER_HOUR_MS); // One that is only silent must answer first.
    await trial.sweep();
    assert.ok(await trial.settle(trial.store.keeper.restore(1)));
    trial.restart('kill');
    trial.disk(1).away = false;
    await trial.open();
    assert.ok(has(trial.disk(0)) && has(trial.disk(2)));
    await trial.sweep(2);
    assert.ok(has(trial.disk(0)) && has(trial.disk(2)));
    await trial.checkPromises();
  });
});

describe('a copy of which nobody knew', () => {
  it('is compared, and let go, though its disk was never away', async () => {
    const trial = new ReplicatedTrial({ ...TWO, disks: 3 });
    await trial.open();
    await trial.work(80);
    const other = trial.disks.find((disk) => !has(disk)) as TrialDisk;
    const home = trial.disks.find((disk) => has(disk)) as TrialDisk;
    other.files.setContent(FIRST, home.files.content(FIRST));
    await trial.sweep(2);
    assert.ok(isLetGo(other));
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('is reported once when its volume is unknown, and only if it stays', async () => {
    const trial = await emptied({ setup: TWO });
    const unknown = 'v00000999.1.hv';
    const reports = (): number =>
      trial.copyFindings.filter(({ kind }) => kind === 'foreign-file').length;
    trial.disk(0).files.setContent(unknown, trial.disk(0).files.content(FIRST));
    await trial.sweep();
    assert.equal(reports(), 0, 'it may be a volume that is just being made');
    await trial.sweep(3);
    assert.equal(reports(), 1);
    trial.disk(0).files.drop(unknown);
    await trial.sweep();
    await trial.checkPromises();
  });
});
