import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReplicatedTrial, type TrialDisk, type TrialSetup } from './testing/replicated-trial.ts';

const SETUP: TrialSetup = { seed: 1, disks: 2, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const FIRST = 'v00000001.1.hv';
const TWO_WEEKS_MS = 14 * 86_400_000;

function flip(disk: TrialDisk): void {
  const bytes = Buffer.from(disk.files.content(FIRST));
  bytes[5000] = (bytes[5000] as number) ^ 1;
  disk.files.rot(FIRST, bytes);
}

function trashOf({ files }: TrialDisk): string[] {
  return files.names().filter((name) => name.startsWith(`${FIRST}.bad-`));
}

/** A copy of volume 1 was damaged, and made anew: the damaged one lies in the trash of the disk. */
async function mended(): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(SETUP);
  await trial.open();
  await trial.work(80);
  flip(trial.disk(0));
  trial.noteDamage(trial.disk(0), FIRST);
  await trial.sweep(2);
  assert.equal(trashOf(trial.disk(0)).length, 1);
  return trial;
}

describe('a copy that repair has replaced', () => {
  it('is erased after two weeks, when all others were read and found whole', async () => {
    const trial = await mended();
    const { replaced } = trial;
    trial.clock.advance(TWO_WEEKS_MS - 20_000);
    assert.deepEqual(await replaced.listDue(), []);
    trial.clock.advance(20_000);
    const [copy, ...others] = await replaced.listDue();
    assert.ok(copy !== undefined && others.length === 0);
    assert.equal(await replaced.justify(copy), 'copied');
    assert.equal(await replaced.erase(copy), true);
    assert.deepEqual(trashOf(trial.disk(0)), []);
    trial.checkFullCopies();
    await trial.checkPromises();
  });

  it('stays while another copy is damaged, noticed or not, and while a disk is away', async () => {
    const trial = await mended();
    trial.clock.advance(TWO_WEEKS_MS);
    const [copy] = await trial.replaced.listDue();
    assert.ok(copy !== undefined);
    flip(trial.disk(1));
    assert.equal(await trial.replaced.justify(copy), undefined);
    flip(trial.disk(1));
    trial.disk(1).away = true;
    await trial.sweep();
    assert.equal(await trial.replaced.justify(copy), undefined);
    trial.disk(1).away = false;
    await trial.sweep(2);
    assert.equal(await trial.replaced.justify(copy), 'copied');
  });

  it('goes with its volume, but not while that may come back from the trash', async () => {
    const trial = await mended();
    const { keeper } = trial.store;
    assert.ok(await trial.settle(keeper.compact(1)));
    assert.ok(await trial.settle(keeper.moveToTrash(1)));
    trial.clock.advance(TWO_WEEKS_MS);
    const [copy] = await trial.replaced.listDue();
    assert.ok(copy !== undefined);
    assert.equal(await trial.replaced.justify(copy), undefined);
    assert.ok(await trial.settle(keeper.unlink(1)));
    assert.equal(await trial.replaced.justify(copy), 'left');
  });

  it('is not asked for again and again where the disk holds it longer', async () => {
    const trial = await mended();
    trial.clock.advance(TWO_WEEKS_MS);
    const [copy] = await trial.replaced.listDue();
    assert.ok(copy !== undefined);
    trial.disk(0).plan = ({ what }) => (what === 'remove' ? 'EPERM' : undefined);
    assert.equal(await trial.replaced.erase(copy), false);
    assert.deepEqual(await trial.replaced.listDue(), []);
    trial.clock.advance(TWO_WEEKS_MS);
    assert.equal((await trial.replaced.listDue()).length, 1);
  });
});
