/** Faults that come one after the other: what one has left must not do harm with the next. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isKind } from '../../base/errors.ts';
import type { DiskCall, FaultPlan } from '../backends/local/testing/simulated-volume-files.ts';
import { ReplicatedTrial, type TrialDisk, type TrialSetup } from './testing/replicated-trial.ts';

const TWO: TrialSetup = { seed: 1, disks: 2, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const THREE: TrialSetup = { seed: 1, disks: 3, policy: { copies: 3, acksMin: 2, domain: 'host' } };
const FIRST = 'v00000001.1.hv';
const TRAILER_BYTES = 4096;

async function opened(setup: TrialSetup): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(setup);
  await trial.open();
  return trial;
}

/** A handle keeps the name under which it was opened. */
function isOf(call: DiskCall, ...what: DiskCall['what'][]): boolean {
  return [FIRST, `${FIRST}.new`].includes(call.name) && what.includes(call.what);
}

const refusing = (...what: DiskCall['what'][]): FaultPlan => (call) =>
  (isOf(call, ...what) ? 'EIO' : undefined);
/** Unlike a write that is refused, it leaves nothing behind. */
const hanging: FaultPlan = (call) => (isOf(call, 'write') ? 'HANG' : undefined);

/** Small ones, that fit into the first volume. */
async function put(trial: ReplicatedTrial, blocks: number): Promise<void> {
  for (let count = 0; count < blocks; count++) {
    await trial.settle(trial.tryPut(trial.block(300 + count)));
  }
}

function change(disk: TrialDisk, change_: (bytes: Buffer) => Buffer, name = FIRST): void {
  disk.files.setContent(name, change_(Buffer.from(disk.files.content(name))));
}

function flip(at: number): (bytes: Buffer) => Buffer {
  return (bytes) => {
    bytes[at] = (bytes[at] as number) ^ 4;
    return bytes;
  };
}

function isSealed(disk: TrialDisk): boolean {
  const bytes = disk.files.content(FIRST);
  return bytes.subarray(-TRAILER_BYTES).toString('latin1', 0, 8) === 'HFSEAL01';
}

/** With nothing in the way any more, every copy comes right by itself. */
async function checkMended(trial: ReplicatedTrial): Promise<void> {
  await trial.sweep(3);
  await trial.checkPromises();
  trial.checkFullCopies();
}

describe('copies of a volume, after a failed write', () => {
  it('are never made of what was not acknowledged', async () => {
    const trial = await opened(TWO);
    await put(trial, 3);
    const [[, markEnd]] = trial.store.witness() as [[number, number]];
    trial.disk(0).plan = refusing('write');
    trial.disk(1).plan = refusing('sync', 'truncate');
    await put(trial, 1);
    assert.ok(trial.disk(1).files.content(FIRST).length > markEnd, 'nothing was left behind');
    for (const disk of trial.disks) disk.plan = () => undefined;
    await checkMended(trial);
    assert.equal(trial.disk(0).files.content(FIRST).length, markEnd);
  });

  it('have lost what was cut off also after a power cut', async () => {
    for (let seed = 1; seed < 12; seed++) {
      const trial = await opened({ ...TWO, seed });
      await put(trial, 3);
      const [[, markEnd]] = trial.store.witness() as [[number, number]];
      trial.disk(0).plan = hanging;
      await put(trial, 1);
      trial.restart('crash');
      assert.equal(trial.disk(1).files.content(FIRST).length, markEnd, `seed ${seed}`);
    }
  });

  it('end the same, durably, before anything is added after a start', async () => {
    for (let seed = 1; seed < 12; seed++) {
      const trial = await opened({ ...TWO, seed });
      await put(trial, 3);
      const [[, markEnd]] = trial.store.witness() as [[number, number]];
      trial.disk(0).plan = hanging;
      let cut = false;
      trial.disk(1).plan = (call) => {
        if (cut && isOf(call, 'sync')) return 'CRASH';
        cut ||= isOf(call, 'truncate');
        return undefined;
      };
      await put(trial, 1);
      trial.restart('kill');
      await trial.open();
      trial.restart('crash');
      for (const { files } of trial.disks) {
        const { length } = files.content(FIRST);
        assert.equal(length, markEnd, `seed ${seed}`);
      }
    }
  });

  it('are mended from one that has more than was acknowledged', async () => {
    const trial = await opened(TWO);
    await put(trial, 3);
    trial.disk(0).plan = (call) => (isOf(call, 'write') ? 'CRASH' : undefined);
    void trial.tryPut(trial.block(700));
    await trial.settle(new Promise(() => undefined), 1);
    trial.restart('kill');
    trial.disk(1).away = true;
    await trial.open();
    await trial.store.endDegraded();
    assert.ok(isSealed(trial.disk(0)));
    change(trial.disk(0), flip(4200));
    trial.disk(1).away = false;
    await checkMended(trial);
  });
});

describe('copies of a volume, with a damaged beginning', () => {
  it('are mended, also when the sound one is suspected as well', async () => {
    const trial = await opened(TWO);
    await trial.work(80);
    change(trial.disk(0), flip(20));
    trial.noteDamage(trial.disk(1), FIRST);
    await checkMended(trial);
  });

  it('are mended, also when only those begin rightly that have fallen behind', async () => {
    const trial = await opened(THREE);
    await trial.work(3);
    change(trial.disk(0), flip(20));
    for (const at of [1, 2]) trial.disk(at).plan = refusing('write');
    await trial.work(1);
    for (const disk of trial.disks) disk.plan = () => undefined;
    await checkMended(trial);
  });

  it('are not given up while another may lie on a disk that does not answer', async () => {
    const trial = await opened(THREE);
    await trial.work(3);
    await trial.store.close();
    trial.restart('kill');
    for (const { files } of trial.disks) files.drop('v00000001.1.copies');
    for (const at of [0, 1]) change(trial.disk(at), flip(20));
    trial.disk(2).away = true;
    await assert.rejects(trial.open(), (error) => isKind(error, 'unavailable'));
    trial.disk(2).away = false;
    await trial.open();
    await checkMended(trial);
  });
});

describe('copies of a sealed volume', () => {
  it('get their footer back when all have lost it', async () => {
    const trial = await opened(TWO);
    await trial.work(80);
    const right = trial.disk(0).files.content(FIRST);
    change(trial.disk(0), (bytes) => bytes.subarray(0, -TRAILER_BYTES));
    trial.disk(1).files.drop(FIRST);
    await checkMended(trial);
    assert.ok(trial.disk(1).files.content(FIRST).equals(right));
  });

  it('have none as long as one of them did not take it', async () => {
    const trial = await opened(TWO);
    let cut = false;
    trial.disk(1).plan = (call) => {
      if (cut && isOf(call, 'write')) return 'EIO';
      cut ||= isOf(call, 'truncate');
      return undefined;
    };
    await trial.work(80);
    await trial.store.endDegraded();
    assert.ok(trial.findings.some(({ kind }) => kind === 'seal-failed'));
    assert.ok(!isSealed(trial.disk(0)), 'a footer that was not synced was left');
    trial.disk(1).plan = () => undefined;
    await checkMended(trial);
  });

  it('are mended after a start where a power cut has torn the footer', async () => {
    const trial = await opened(TWO);
    await trial.work(80);
    await trial.store.close();
    trial.restart('kill');
    const { length } = trial.disk(1).files.content(FIRST);
    change(trial.disk(1), flip(length - TRAILER_BYTES - 100));
    await trial.open();
    await trial.sweep();
    trial.checkFullCopies();
    assert.ok(trial.copyFindings.some(({ kind }) => kind === 'copy-damaged'));
  });
});

describe('a start', () => {
  it('goes on, or says what is missing, whatever call to one disk fails', async () => {
    let failed = 0;
    for (let number = 1; number < 40; number++) {
      const trial = await opened(THREE);
      await trial.work(6);
      trial.restart('kill');
      let calls = 0;
      trial.disk(1).plan = () => (++calls === number ? 'EIO' : undefined);
      await trial.open().catch((error: unknown) => {
        assert.ok(isKind(error, 'unavailable'), `call ${number}: ${String(error)}`);
        failed++;
      });
    }
    assert.equal(failed, 0, 'two whole copies are enough');
  });
});

describe('a batch that one disk alone has after a power cut', () => {
  it('is not said to be durable as long as no other can take it', async () => {
    const trial = await opened({ ...TWO, disks: 3 });
    await put(trial, 3);
    const [first, second] = trial.disks.filter(({ volumes }) => volumes.includes(FIRST));
    assert.ok(first && second);
    second.plan = (call) => (isOf(call, 'write') ? 'CRASH' : undefined);
    first.plan = (call) => (isOf(call, 'truncate') ? 'CRASH' : undefined);
    void trial.tryPut(trial.block(700));
    await trial.settle(new Promise(() => undefined), 1);
    trial.restart('kill');
    second.plan = refusing('write', 'truncate');
    await trial.open();
    await put(trial, 3);
    trial.restart('kill');
    first.files.drop(FIRST);
    await trial.open();
    await checkMended(trial);
  });
});

describe('a volume on its way to the trash', () => {
  async function emptied(setup: TrialSetup): Promise<ReplicatedTrial> {
    const trial = await opened(setup);
    await trial.work(80);
    await trial.store.keeper.compact(1);
    return trial;
  }

  it('takes only whole copies along', async () => {
    const trial = await opened({ ...THREE, policy: { ...THREE.policy, acksMin: 1 } });
    await put(trial, 3);
    trial.disk(0).plan = refusing('write');
    await trial.work(80);
    await trial.store.endDegraded();
    await trial.store.keeper.compact(1);
    await trial.store.keeper.moveToTrash(1);
    const trashed = trial.disks.map(({ files }) => files.names().includes(`${FIRST}.trash`));
    assert.deepEqual(trashed, [false, true, true]);
    await trial.store.keeper.inspectTrash([1]);
  });

  it('is inspected, and explained by its note, when one disk has lost them', async () => {
    for (const at of [0, 1]) {
      const trial = await emptied(TWO);
      await trial.store.keeper.moveToTrash(1);
      trial.noteWitness();
      change(trial.disk(at), flip(20), `${FIRST}.trash`);
      change(trial.disk(at), flip(50), 'v00000001.1.gone');
      await trial.store.keeper.inspectTrash([1]);
      await trial.store.keeper.unlink(1);
      trial.restart('kill');
      await trial.open();
      await trial.checkPromises();
      assert.deepEqual(trial.findings, []);
    }
  });

  it('stays where it is when its leaving was not synced', async () => {
    const trial = await emptied(TWO);
    let renamed: boolean | undefined;
    trial.disk(0).plan = (call) => {
      const fails = renamed === true && call.what === 'folder';
      if (fails) renamed = false;
      if (isOf(call, 'rename')) renamed ??= true;
      return fails ? 'EIO' : undefined;
    };
    const moved = trial.store.keeper.moveToTrash(1);
    await assert.rejects(moved, (error) => isKind(error, 'unavailable'));
    trial.disk(0).plan = () => undefined;
    await trial.store.keeper.moveToTrash(1);
    await trial.checkPromises();
  });
});
