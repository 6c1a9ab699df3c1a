import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HoldfastError, isKind } from '../../base/errors.ts';
import type { BlockId } from '../../base/ids.ts';
import type { FaultPlan } from '../backends/local/testing/simulated-volume-files.ts';
import { ReplicatedTrial, type TrialSetup } from './testing/replicated-trial.ts';

const TWO: TrialSetup = { seed: 1, disks: 2, policy: { copies: 2, acksMin: 2, domain: 'host' } };
const THREE: TrialSetup = { seed: 1, disks: 3, policy: { copies: 3, acksMin: 2, domain: 'host' } };
const SPARE: TrialSetup = { ...TWO, disks: 3 };
const QUARTER_HOUR_MS = 15 * 60_000;

async function opened(setup: TrialSetup): Promise<ReplicatedTrial> {
  const trial = new ReplicatedTrial(setup);
  await trial.open();
  return trial;
}

function once(what: string, code: string): FaultPlan {
  let left = 1;
  return (call) => (call.what === what && left-- > 0 ? code : undefined);
}

function kindsOf(trial: ReplicatedTrial): string[] {
  return trial.copyFindings.map(({ kind, diskId }) => `${kind} ${diskId}`);
}

/** One bit of a disk's file changes behind everybody's back. */
function rot(trial: ReplicatedTrial, disk: number, name: string, at: number): void {
  const { files } = trial.disk(disk);
  const bytes = Buffer.from(files.content(name));
  bytes[at] = (bytes[at] as number) ^ 4;
  files.setContent(name, bytes);
}

function sealedName(trial: ReplicatedTrial): string {
  return trial.disk(0).volumes[0] as string;
}

describe('a store on several disks', () => {
  it('has the same bytes on all of them', async () => {
    for (const setup of [TWO, THREE]) {
      const trial = await opened(setup);
      assert.ok(await trial.work(120));
      await trial.checkPromises();
      trial.checkFullCopies();
      await trial.store.close();
      trial.restart('crash');
      await trial.open();
      await trial.checkPromises();
      trial.checkFullCopies();
      assert.deepEqual(trial.copyFindings, []);
      await trial.store.close();
      assert.deepEqual(trial.disks.map(({ files }) => files.openHandles), setup.disks === 2
        ? [0, 0] : [0, 0, 0]);
    }
  });

  it('acknowledges what W of N disks took, and writes no more to that volume', async () => {
    const trial = await opened(THREE);
    await trial.work(3);
    const { files } = trial.disk(1);
    let writesAfter = 0;
    const fail = once('sync', 'EIO');
    let failed = false;
    trial.disk(1).plan = (call) => {
      const code = fail(call);
      if (failed && call.name.startsWith('v00000001.1.hv') && call.what === 'write') writesAfter++;
      failed ||= code !== undefined;
      return code;
    };
    const block = trial.block(400);
    assert.equal(await trial.tryPut(block), undefined);
    assert.ok(files.content('v00000001.1.hv').length < 20_000);
    assert.deepEqual(kindsOf(trial), ['copy-failed d2']);
    assert.deepEqual(trial.findings, []);
    assert.equal(trial.repair.status().volumesWaiting, 1);
    await trial.work(4);
    assert.equal(writesAfter, 0, 'the copy whose sync failed was written again');
    assert.ok(trial.disk(0).volumes.length > 1, 'the volume went on without a copy');
    await trial.checkPromises();
    await trial.sweep();
    trial.checkFullCopies();
    assert.deepEqual(kindsOf(trial), ['copy-failed d2', 'copy-made d2']);
    assert.ok(trial.disk(1).files.names().some((name) => name.includes('.hv.bad-')));
  });

  it('writes to another volume when fewer than W took it', async () => {
    for (const what of ['write', 'sync']) {
      const trial = await opened(TWO);
      await trial.work(3);
      trial.disk(1).plan = once(what, 'EIO');
      const block = trial.block(400);
      assert.equal(await trial.tryPut(block), undefined);
      assert.deepEqual(trial.findings.map(({ kind }) => kind).slice(0, 1), ['write-failed']);
      await trial.work(30);
      await trial.checkPromises();
      await trial.sweep(2);
      trial.checkFullCopies();
      trial.restart('crash');
      await trial.open();
      await trial.sweep();
      await trial.checkPromises();
      trial.checkFullCopies();
    }
  });

  it('goes to disks with room when one is full, and says so when none is left', async () => {
    const trial = await opened(SPARE);
    await trial.work(5);
    const [first] = trial.disks.filter(({ volumes }) => volumes.length > 0);
    assert.ok(first);
    first.files.capacityBytes = 1;
    assert.ok(await trial.work(30));
    const refused = await trial.tryPut(trial.block(500));
    assert.equal(refused, undefined);
    await trial.checkPromises();
    for (const { files } of trial.disks) files.capacityBytes = 1;
    const full = await trial.tryPut(trial.block(3000));
    assert.ok(isKind(full, 'full'), String(full));
    await trial.checkPromises();
  });

  it('gives out the right bytes when one copy has rotted, and mends it', async () => {
    const trial = await opened(TWO);
    await trial.work(80);
    const name = sealedName(trial);
    const right = trial.disk(0).files.content(name);
    for (let at = 5000; at < right.length - 9000; at += 2000) rot(trial, 0, name, at);
    await trial.checkPromises();
    assert.deepEqual(trial.findings, []);
    assert.ok(trial.copyFindings.some(({ kind }) => kind === 'copy-damaged'));
    assert.equal(trial.store.state().damagedCount, 0);
    await trial.sweep();
    trial.checkFullCopies();
    assert.ok(trial.disk(0).files.content(name).equals(right));
    await trial.checkPromises();
    assert.equal(trial.repair.status().volumesWaiting, 0);
  });

  it('puts together one whole copy from two that are damaged in different places', async () => {
    const trial = await opened(TWO);
    await trial.work(80);
    const name = sealedName(trial);
    const right = trial.disk(0).files.content(name);
    rot(trial, 0, name, 6000);
    rot(trial, 1, name, 15_000);
    await trial.checkPromises();
    await trial.sweep(2);
    trial.checkFullCopies();
    assert.ok(trial.disk(0).files.content(name).equals(right));
  });

  it('answers within the deadline when a disk hangs, and reads from the others', async () => {
    const trial = await opened(SPARE);
    await trial.work(60);
    trial.disk(0).plan = () => 'HANG';
    assert.ok(await trial.work(20), 'a put never came back');
    assert.ok(await trial.settle(trial.checkPromises(), 100));
    const before = trial.clock.monotonic();
    await trial.work(5);
    await trial.checkPromises();
    assert.equal(trial.clock.monotonic(), before, 'the silent disk was asked again and again');
    await trial.sweep();
    trial.disk(0).plan = () => undefined;
    await trial.sweep(2);
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('goes on without a disk that fell silent before its folder was synced', async () => {
    const trial = await opened({ ...THREE, disks: 4 });
    await trial.work(20);
    const { length: before } = trial.disk(1).volumes;
    trial.disk(0).plan = (call) => {
      if (call.what === 'folder') trial.disk(0).away = true;
      return undefined;
    };
    for (let n = 0; n < 40; n++) assert.equal(await trial.tryPut(trial.block(3000)), undefined);
    assert.ok(trial.disk(0).away, 'its folder was never synced');
    assert.ok(trial.disk(1).volumes.length > before + 1, 'no volume was made meanwhile');
    trial.disk(0).away = false;
    trial.disk(0).plan = () => undefined;
    await trial.sweep(3);
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('makes new copies when a disk is away for long, and compares it when it returns', async () => {
    const trial = await opened(SPARE);
    await trial.work(100);
    trial.disk(0).away = true;
    await trial.work(10);
    await trial.sweep();
    assert.ok(kindsOf(trial).includes('disk-silent d1'));
    assert.ok(!kindsOf(trial).includes('disk-missing d1'));
    trial.clock.advance(QUARTER_HOUR_MS + 1);
    await trial.sweep(2);
    assert.ok(kindsOf(trial).includes('disk-missing d1'));
    trial.checkFullCopies();
    await trial.checkPromises();
    const had = trial.disk(0).volumes.length;
    assert.ok(had > 0);
    trial.disk(0).away = false;
    rot(trial, 0, sealedName(trial), 6000);
    await trial.sweep(2);
    assert.ok(kindsOf(trial).includes('disk-returned d1'));
    trial.checkFullCopies();
    const trashed = trial.disk(0).files.names().filter((name) => name.includes('.bad-'));
    assert.ok(trashed.length > 0, 'what is one too many goes to the trash');
    await trial.checkPromises();
  });

  it('lets go of what was made anew while a disk was away, also over a restart', async () => {
    const trial = await opened(SPARE);
    await trial.work(100);
    trial.disk(0).away = true;
    trial.restart('kill');
    await trial.open();
    trial.clock.advance(QUARTER_HOUR_MS + 1);
    await trial.sweep(2);
    trial.checkFullCopies();
    trial.restart('kill');
    await trial.open();
    trial.disk(0).away = false;
    await trial.sweep(2);
    trial.checkFullCopies();
    await trial.checkPromises();
  });

  it('leaves the copies of a disk alone that is back soon', async () => {
    const trial = await opened(SPARE);
    await trial.work(60);
    trial.disk(1).away = true;
    await trial.sweep();
    trial.clock.advance(60_000);
    trial.disk(1).away = false;
    await trial.sweep();
    assert.ok(!kindsOf(trial).some((kind) => kind.startsWith('copy-made')), kindsOf(trial).join());
    trial.checkFullCopies();
  });
});

describe('a store on several disks, at its start', () => {
  it('opens without a disk, reads everything, and catches up', async () => {
    for (const setup of [SPARE, TWO, THREE]) {
      const trial = await opened(setup);
      await trial.work(100);
      trial.noteWitness();
      trial.restart('crash');
      trial.disk(0).away = true;
      await trial.open();
      await trial.checkPromises();
      const refused = await trial.tryPut(trial.block(100));
      // Fewer than W disks: no new volume can be made.
      if (setup !== TWO) assert.equal(refused, undefined);
      else assert.ok(isKind(refused, 'unavailable'), String(refused));
      trial.disk(0).away = false;
      await trial.sweep(2);
      assert.equal(await trial.tryPut(trial.block(100)), undefined);
      await trial.checkPromises();
      trial.checkFullCopies();
      assert.equal(trial.store.state().damagedCount, 0);
    }
  });

  it('does not call safe what only one disk took, and was refused before', async () => {
    const trial = await opened(TWO);
    await trial.tryPut(trial.block(700));
    const block = trial.block(700);
    let failed = false;
    trial.disk(0).plan = ({ what }) => {
      failed ||= what === 'write';
      return failed ? 'CRASH' : undefined;
    };
    trial.disk(1).plan = ({ what }) => (failed && what === 'truncate' ? 'CRASH' : undefined);
    await trial.settle(trial.tryPut(block), 1);
    trial.restart('kill');
    trial.disk(0).away = true;
    await trial.open();
    await trial.store.get(block.id); // It is there, but on one disk alone.
    assert.equal(await trial.store.find(block.id), undefined);
    assert.ok(isKind(await trial.tryPut(block), 'unavailable'));
    trial.disk(0).away = false;
    await trial.sweep(2);
    assert.equal(await trial.tryPut(block), undefined);
    await trial.checkPromises();
  });

  it('refuses when no copy of a volume can be reached, and changes nothing', async () => {
    const trial = await opened(SPARE);
    await trial.work(100);
    trial.noteWitness();
    trial.restart('kill');
    const before = trial.disks.map(({ files }) => files.names());
    for (const hidden of [[0, 1], [1, 2], [0, 1, 2]]) {
      for (const at of hidden) trial.disk(at).away = true;
      await assert.rejects(trial.open(), (error) => isKind(error, 'unavailable'));
      for (const at of hidden) trial.disk(at).away = false;
    }
    assert.deepEqual(trial.disks.map(({ files }) => files.names()), before);
    await trial.open();
    await trial.checkPromises();
  });

  it('refuses to trust one copy of three for a volume that was being written', async () => {
    const trial = await opened(THREE);
    await trial.work(10);
    trial.restart('kill');
    for (const at of [0, 1]) trial.disk(at).away = true;
    await assert.rejects(trial.open(), (error) => isKind(error, 'unavailable'));
    trial.disk(0).away = false;
    await trial.open();
    await trial.checkPromises();
  });

  it('fills up a copy that is short, also when the longest is on the last disk', async () => {
    for (let keeper = 0; keeper < 3; keeper++) {
      const trial = await opened(THREE);
      await trial.work(12);
      trial.restart('kill');
      const [name] = trial.disk(0).volumes;
      assert.ok(name);
      const whole = trial.disk(0).files.content(name);
      for (const [at, { files }] of trial.disks.entries()) {
        if (at !== keeper) files.setContent(name, whole.subarray(0, whole.length - 700 - at * 10));
      }
      await trial.open();
      await trial.checkPromises();
      trial.checkFullCopies();
      assert.ok(kindsOf(trial).every((kind) => kind.startsWith('copy-short')));
      assert.equal(await trial.tryPut(trial.block(10)), undefined);
      assert.equal(trial.disk(0).volumes.length, 1, 'the volume could not go on');
    }
  });

  it('cuts no end off while not everybody can say what was acknowledged', async () => {
    const trial = await opened(TWO);
    await trial.work(12);
    trial.restart('kill');
    trial.isWitnessWhole = false;
    await trial.open();
    await trial.checkPromises();
    trial.restart('kill');
    const [name] = trial.disk(0).volumes;
    assert.ok(name);
    const torn = Buffer.concat([trial.disk(0).files.content(name), Buffer.alloc(40, 'HFR1')]);
    trial.disk(0).files.setContent(name, torn);
    await assert.rejects(trial.open(), (error) => (
      error instanceof HoldfastError && error.code === 'marks-away'));
    assert.ok(trial.disk(0).files.content(name).equals(torn), 'something was cut off');
    trial.isWitnessWhole = true;
    await trial.open();
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('puts together a volume that was being written and is damaged in all copies', async () => {
    const trial = await opened(TWO);
    for (let batch = 0; batch < 8; batch++) await trial.tryPut(trial.block(800));
    trial.noteWitness();
    trial.restart('kill');
    const [name] = trial.disk(0).volumes;
    assert.ok(name);
    for (const { files } of trial.disks) {
      for (const hint of files.names().filter((one) => one.endsWith('.hint'))) files.drop(hint);
    }
    rot(trial, 0, name, 4096 + 100);
    rot(trial, 1, name, 4096 + 4000);
    await trial.open();
    await trial.checkPromises();
    await trial.sweep();
    trial.checkFullCopies();
    assert.equal(trial.store.state().damagedCount, 0);
  });

  it('refuses copies with different data, and overwrites neither', async () => {
    const one = await opened(TWO);
    await one.work(10);
    await one.store.close();
    const bytes = one.disks.map(({ files }) => files.content('v00000001.1.hv'));
    const other = await opened({ ...TWO, seed: 2 });
    await other.work(10);
    await other.store.close();
    const foreign = other.disk(0).files.content('v00000001.1.hv');
    one.disk(1).files.setContent('v00000001.1.hv', foreign);
    await assert.rejects(one.open(), (error) => isKind(error, 'invalid'));
    assert.ok(one.disk(1).files.content('v00000001.1.hv').equals(foreign));
    assert.ok(one.disk(0).files.content('v00000001.1.hv').equals(bytes[0] as Buffer));
  });

  it('takes a disk with an empty folder for one that is not mounted', async () => {
    const trial = await opened(SPARE);
    await trial.work(100);
    const { files } = trial.disk(0);
    const kept = files.names().map((name) => [name, files.content(name)] as const);
    for (const [name] of kept) files.drop(name);
    await trial.sweep();
    assert.ok(kindsOf(trial).includes('disk-silent d1'));
    assert.ok(!kindsOf(trial).some((kind) => kind.startsWith('copy-lost')));
    for (const [name, bytes] of kept) files.setContent(name, bytes);
    await trial.sweep();
    await trial.checkPromises();
    trial.checkFullCopies();
  });
});

describe('a store on several disks, with one damaged copy and another that fell behind', () => {
  /** On d1 the first volume has fallen behind, and on d2 its first batch has rotted. */
  async function cornered(): Promise<ReplicatedTrial> {
    const trial = await opened(TWO);
    await trial.tryPut(trial.block(700));
    await trial.tryPut(trial.block(700));
    trial.disk(0).plan = once('sync', 'EIO');
    await trial.tryPut(trial.block(700));
    rot(trial, 1, 'v00000001.1.hv', 4096 + 100);
    return trial;
  }

  it('reads what only the one that fell behind still has, and makes no short copy', async () => {
    const trial = await cornered();
    await trial.checkPromises();
    await trial.sweep(2);
    await trial.checkPromises();
    trial.checkFullCopies();
    trial.restart('crash');
    await trial.open();
    await trial.checkPromises();
  });

  it('makes no copy of the damaged one that ends where the damage is', async () => {
    const trial = await opened(SPARE);
    await trial.tryPut(trial.block(700));
    const [behind, rotten] = trial.disks.filter(({ volumes }) => volumes.length > 0);
    assert.ok(behind && rotten);
    behind.plan = once('sync', 'EIO');
    await trial.tryPut(trial.block(700));
    rot(trial, trial.disks.indexOf(rotten), 'v00000001.1.hv', 4096 + 100);
    behind.away = true;
    await trial.sweep();
    trial.clock.advance(QUARTER_HOUR_MS + 1);
    await trial.sweep(2);
    assert.ok(kindsOf(trial).some((kind) => kind.startsWith('copy-not-made')));
    behind.away = false;
    await trial.sweep(2);
    await trial.checkPromises();
    await trial.sweep(2);
    trial.checkFullCopies();
  });

  it('does not give up what the disk that is away may have', async () => {
    const trial = await opened(TWO);
    for (let put = 0; put < 4; put++) await trial.tryPut(trial.block(700));
    trial.restart('kill');
    for (const { files } of trial.disks) {
      for (const hint of files.names().filter((one) => one.endsWith('.hint'))) files.drop(hint);
    }
    rot(trial, 1, 'v00000001.1.hv', 4096 + 100);
    trial.disk(0).away = true;
    await assert.rejects(trial.open(), (error) => isKind(error, 'unavailable'));
    trial.disk(0).away = false;
    await trial.open();
    await trial.checkPromises();
    assert.deepEqual(trial.findings, []);
  });

  it('keeps a finished copy whose naming was cut short, for there may be no other', async () => {
    const trial = await cornered();
    let named = false;
    trial.disk(0).plan = ({ what, name }) => {
      named ||= what === 'rename' && name.endsWith('.hv');
      return named && what === 'rename' && name.endsWith('.copying') ? 'EIO' : undefined;
    };
    await trial.sweep();
    assert.ok(named && !trial.disk(0).volumes.includes('v00000001.1.hv'));
    await trial.checkPromises().catch((error: unknown) => {
      assert.ok(isKind(error, 'unavailable') || isKind(error, 'corrupt'), String(error));
    });
    trial.disk(0).plan = () => undefined;
    await trial.sweep(2);
    await trial.checkPromises();
    trial.checkFullCopies();
  });

  it('does not spread damage when it goes on with a volume after a restart', async () => {
    for (let rotten = 0; rotten < 2; rotten++) {
      const trial = await opened({ ...TWO, config: { hintEveryBlocks: 1 } });
      for (let put = 0; put < 7; put++) await trial.tryPut(trial.block(700));
      await trial.store.close();
      trial.restart('kill');
      await trial.open();
      const name = 'v00000001.1.hv';
      const bytes = trial.disk(0).files.content(name);
      const end = bytes.findLastIndex((byte) => byte !== 0);
      rot(trial, rotten, name, end - 300);
      const other = trial.disk(1 - rotten).files;
      for (let put = 0; put < 3; put++) await trial.tryPut(trial.block(700));
      assert.equal(other.content(name)[end - 300], bytes[end - 300], 'the damage was copied');
      await trial.checkPromises();
      await trial.sweep(2);
      await trial.checkPromises();
    }
  });

  it('lists all blocks when the list at the end of one copy is damaged', async () => {
    for (const disk of [0, 1]) {
      const trial = await opened(TWO);
      await trial.work(80);
      const name = sealedName(trial);
      const sizeBytes = trial.disk(disk).files.content(name).length;
      for (let at = sizeBytes - 4096 - 1024; at < sizeBytes - 4096; at += 64) {
        rot(trial, disk, name, at);
      }
      await trial.checkPromises();
      for (let restarts = 0; restarts < 2; restarts++) {
        trial.restart('kill');
        await trial.open();
        await trial.checkPromises();
      }
      assert.deepEqual(trial.findings, [], 'the footer of the other copy was not used');
    }
  });
});

describe('RepairWorker', () => {
  it('goes on with a copy that a kill has cut short, and trusts nothing of it', async () => {
    const big = 4 * 1024 ** 2;
    const config = { volumeBytesMax: big, volumeBlocksMax: 9, batchBytesMax: big };
    const trial = await opened({ ...SPARE, config: { ...config, queueBytesMax: 16 * big } });
    for (let put = 0; put < 12; put++) await trial.tryPut(trial.block(400_000));
    trial.noteWitness();
    const name = 'v00000001.1.hv';
    const gone = trial.disks.find(({ volumes }) => volumes.includes(name));
    assert.ok(gone);
    gone.away = true;
    trial.restart('kill');
    await trial.open();
    await trial.sweep();
    let writes = 0;
    const [target] = trial.disks.filter(({ volumes }) => !volumes.includes(name));
    assert.ok(target);
    target.plan = ({ what, name: file }) =>
      (what === 'write' && file.includes('copying') && ++writes > 2 ? 'CRASH' : undefined);
    trial.clock.advance(QUARTER_HOUR_MS + 1);
    await trial.settle(trial.repair.sweep(), 3);
    assert.ok(target.files.names().some((file) => file.endsWith('.copying')), 'not cut short');
    trial.restart('crash');
    for (const disk of trial.disks) {
      const draft = disk.files.names().find((file) => file.endsWith('.copying'));
      if (draft === undefined) continue;
      const bytes = Buffer.from(disk.files.content(draft));
      bytes.fill(9, 0, 5000); // What is there may be anything.
      disk.files.setContent(draft, bytes);
    }
    await trial.open();
    await trial.sweep();
    trial.clock.advance(QUARTER_HOUR_MS + 1);
    await trial.sweep(2);
    trial.checkFullCopies();
    const blocks: BlockId[] = [...trial.acknowledged];
    for (const id of blocks) {
      assert.ok((await trial.store.get(id)).equals(trial.put.get(id) as Buffer));
    }
  });

  it('empties a disk that is draining, and lets go only of what is elsewhere', async () => {
    const trial = await opened(SPARE);
    await trial.work(100);
    await trial.store.close();
    trial.disk(0).state = 'draining';
    await trial.open();
    let letGoBefore = false;
    trial.disk(0).plan = ({ what, name }) => {
      if (what === 'rename' && name.endsWith('.hv')) {
        const others = trial.disks.slice(1).filter(({ volumes }) => volumes.includes(name));
        letGoBefore ||= others.length < 2;
      }
      return undefined;
    };
    await trial.sweep(3);
    assert.deepEqual(trial.disk(0).volumes, []);
    assert.equal(letGoBefore, false);
    trial.checkFullCopies();
    await trial.checkPromises();
  });

  it('copies no faster than it may, and tells how long it will take', async () => {
    const trial = await opened({ ...TWO, limits: { repairBytesPerSecond: 10_000 } });
    await trial.work(80);
    await trial.store.close();
    for (const name of trial.disk(0).volumes) trial.disk(0).files.drop(name);
    trial.restart('kill');
    await trial.open();
    const { volumesWaiting, toDoBytes } = trial.repair.status();
    assert.ok(volumesWaiting > 1 && toDoBytes > 50_000);
    const beforeMs = trial.clock.monotonic();
    await trial.sweep();
    const tookMs = trial.clock.monotonic() - beforeMs;
    assert.ok(tookMs >= (toDoBytes / 10_000) * 1000 - 2000, `${toDoBytes} bytes in ${tookMs} ms`);
    trial.checkFullCopies();
    const { doneBytes, bytesPerSecond, remainingMs } = trial.repair.status();
    assert.ok(doneBytes >= toDoBytes && remainingMs === 0);
    assert.ok(bytesPerSecond !== undefined && bytesPerSecond < 30_000);
  });
});
