/**
 * A server and three filers, with users at work, while one of the machines after the other breaks.
 * Whatever was acknowledged is there afterwards, nobody is ever served a wrong byte, and all copies
 * are made up without being asked.
 *
 * The tests build on each other: each takes over the cluster as the one before has left it.
 */
import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import {
  closeSync, openSync, readdirSync, readFileSync, rmSync, statfsSync, statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { eventually, sleep } from '../support/deadline.ts';
import { clustersForTests, volumesIn } from '../support/filer.ts';
import type { TestCluster, TestFiler } from '../support/filer.ts';
import { fingerprint } from '../support/dav-client.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { CuttableLink } from '../support/cuttable-link.ts';
import { run, runWell } from '../support/command.ts';
import { scratchFolder } from '../support/scratch.ts';

const MISSING_AFTER_S = 5;
const SETTINGS = {
  HOLDFAST_STORAGE_COPIES: '3',
  HOLDFAST_STORAGE_COPIES_ACKNOWLEDGED: '2',
  HOLDFAST_STORAGE_MISSING_AFTER: String(MISSING_AFTER_S),
};
const FULL_AGAIN_MS = 120_000;
const REFUSED_MAX = 5;
const CAN_MOUNT = process.getuid?.() === 0;
const FULL_TITLE = CAN_MOUNT ? 'has a full disk (a tmpfs, made small by root)'
  : 'can make its files no longer (a limit of the system: only root may mount a small disk)';
const ROOMY_BYTES = 4 * 1024 ** 3;

describe('three filers under load', { timeout: 840_000 }, () => {
  const clusters = clustersForTests();
  let cluster: TestCluster;
  let load: SteadyLoad;
  let filers: TestFiler[];
  let link: CuttableLink;
  let smallDisk: string;
  const ending: (() => Promise<unknown>)[] = [];

  before(async () => {
    cluster = await clusters.cluster({ env: SETTINGS });
    const { key } = cluster;
    smallDisk = scratchFolder('small-disk');
    await mountSmall(smallDisk);
    if (CAN_MOUNT) ending.push(() => run('umount', ['-l', smallDisk]));
    filers = await Promise.all([
      clusters.filer({ key }),
      clusters.filer({ key, disk: smallDisk }),
      clusters.filer({ key }),
    ]);
    link = await CuttableLink.open(() => filer(2).port);
    ending.push(() => link.close());
    for (const address of [filer(0).address, filer(1).address, link.address]) {
      await cluster.diskWell('add', '--filer', address, '--yes');
    }
    await cluster.server.restart();
    load = new SteadyLoad(await cluster.server.addUser(), { writers: 3, pauseMs: 60 });
    ending.push(() => load.stop());
  });

  after(async () => {
    for (const end of ending.reverse()) await end();
  });

  function filer(n: number): TestFiler {
    const one = filers[n];
    if (one === undefined) throw new Error(`There is no filer ${n}.`);
    return one;
  }

  /** Users work, something breaks and is mended, and then nothing may be missing. */
  async function survives(what: string, breakIt: () => Promise<void>): Promise<void> {
    load.start();
    await sleep(1_000);
    await breakIt();
    const tookMs = await cluster.fullAgain(FULL_AGAIN_MS);
    await load.stop();
    await load.readAll();
    const { written, read, retryable, reasons, slowestMs } = load.takeCounts();
    console.log(`${what}: full again after ${seconds(tookMs)}; ${written} written, ${read} read, `
      + `slowest ${seconds(slowestMs)}, told to try again: ${JSON.stringify(retryable)}`);
    for (const reason of reasons) console.log(`  ${reason.replaceAll(/\s+/g, ' ').slice(0, 300)}`);
    assert.deepEqual(load.faults, []);
    assert.ok(written > 0, 'nothing was written meanwhile');
    // Two of three disks are enough for new files. What was under way may be told to try again.
    assert.ok((retryable[503] ?? 0) <= REFUSED_MAX, 'new files were refused');
  }

  it('is killed', async () => {
    await survives('kill -9', async () => {
      await filer(0).kill();
      await sleep(3_000);
      await filer(0).startAgain();
    });
  });

  it('hangs for longer than a filer may be away', async () => {
    await survives('SIGSTOP', async () => {
      filer(1).pause();
      const { id } = await cluster.diskAt(`filer:${filer(1).address}`);
      await eventually(60_000, 'the filer is taken for lost', async () =>
        (await cluster.listing()).disks.some((disk) => disk.id === id && disk.state === 'missing'));
      filer(1).resume();
    });
  });

  it('is cut off, at first without a word', async () => {
    await survives('cut off', async () => {
      link.become('silent');
      await sleep(4_000);
      link.become('refusing');
      await sleep(1_000);
      link.become('whole');
    });
  });

  it(FULL_TITLE, async () => {
    await survives('full disk', async () => {
      const refused = (): number => cluster.server.log.split(/"(?:ENOSPC|EFBIG)"/).length;
      const before = refused();
      await fill(filer(1));
      await eventually(60_000, 'the disk is full', () => refused() > before);
      if (CAN_MOUNT) {
        const tookMs = await cluster.fullAgain(FULL_AGAIN_MS);
        console.log(`  full again on the others after ${seconds(tookMs)}`);
      }
      await makeRoom(filer(1));
    });
  });

  it('drains and retires a disk', async () => {
    await survives('drain', async () => {
      const { id } = await cluster.diskAt('volumes');
      await cluster.diskWell('drain', id, '--yes');
      await eventually(FULL_AGAIN_MS, 'the disk is drained', async () => {
        const { neededCount, volumeCount } = await cluster.diskAt('volumes');
        return neededCount === 0 && volumeCount === 0;
      });
      await cluster.diskWell('retire', id, '--yes');
    });
  });

  it('has a volume whose bytes have changed', async () => {
    await survives('flipped bytes', async () => {
      for (const name of volumesIn(filer(0).disk)) flipBytes(join(filer(0).disk, name));
      await load.readAll();
      assert.match(cluster.server.log, /"kind":"copy-damaged"/);
    });
  });

  it('is lost for good, and a new one takes its place', async () => {
    await survives('lost', async () => {
      const lost = await cluster.diskAt(`filer:${filer(1).address}`);
      await filer(1).kill();
      await emptyDisk(filer(1).disk);
      await eventually(60_000, 'the filer is taken for lost', async () =>
        (await cluster.diskAt(lost.where)).state === 'missing');
      const fourth = await clusters.filer({ key: cluster.key });
      filers.push(fourth);
      await cluster.diskWell('add', '--filer', fourth.address, '--yes');
      const tookMs = await cluster.fullAgain(FULL_AGAIN_MS, [lost.id]);
      console.log(`  full again after ${seconds(tookMs)} on the new filer`);
      await cluster.diskWell('retire', lost.id, '--yes');
    });
  });

  it('ends with the same bytes on all disks', async () => {
    await cluster.server.stop();
    for (const one of filers.filter(({ isRunning }) => isRunning)) await one.stop();
    const disks = filers.map(({ disk }) => disk).filter((disk) => volumesIn(disk).length > 0);
    let compared = 0;
    const prints = new Map<string, string>();
    for (const [disk, name] of disks.flatMap((one) => volumesIn(one).map((name) => [one, name]))) {
      const print = fingerprint(readFileSync(join(disk as string, name as string)));
      if (prints.has(name as string)) compared += 1;
      assert.equal(prints.get(name as string) ?? print, print, `${disk} ${name}`);
      prints.set(name as string, print);
    }
    console.log(`${prints.size} volumes, ${compared} further copies alike`);
    assert.equal(compared, prints.size * 2, 'three copies of each');
  });
});

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

async function emptyDisk(disk: string): Promise<void> {
  for (const name of readdirSync(disk)) rmSync(join(disk, name), { recursive: true });
}

async function mountSmall(disk: string): Promise<void> {
  if (CAN_MOUNT) await runWell('mount', ['-t', 'tmpfs', '-o', `size=${ROOMY_BYTES}`, 'none', disk]);
}

/** So little is left that the users fill it. */
async function fill({ disk, command }: TestFiler): Promise<void> {
  if (!CAN_MOUNT) {
    const sizes = volumesIn(disk).map((name) => statSync(join(disk, name)).size);
    await limitFiles(command.pid, String(Math.max(...sizes) + 1024 ** 2));
    return;
  }
  const { blocks, bfree, bsize } = statfsSync(disk);
  const sizeBytes = (blocks - bfree) * bsize + 70 * 1024 ** 2;
  await runWell('mount', ['-o', `remount,size=${sizeBytes}`, disk]);
}

async function makeRoom({ disk, command }: TestFiler): Promise<void> {
  if (!CAN_MOUNT) await limitFiles(command.pid, 'unlimited');
  else await runWell('mount', ['-o', `remount,size=${ROOMY_BYTES}`, disk]);
}

/** Only what it may now, not what it may ask for: so the limit can be lifted again. */
async function limitFiles(pid: number, bytes: string): Promise<void> {
  await runWell('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`]);
}

/** One byte in every 16 KiB of what was written. */
function flipBytes(path: string): void {
  const bytes = readFileSync(path);
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  const file = openSync(path, 'r+');
  try {
    for (let at = 8_000; at < end; at += 16_384) {
      writeSync(file, Buffer.of((bytes[at] ?? 0) ^ 0x10), 0, 1, at);
    }
  } finally {
    closeSync(file);
  }
}
