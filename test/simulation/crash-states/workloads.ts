/** Everything that a store does, in short pieces, to be recorded. */
import assert from 'node:assert/strict';
import { ONE_DISK, TINY, type Bench, type BenchSetup } from './bench.ts';

/** One thing done to a store on one disk. */
const OPERATIONS: Readonly<Record<string, (bench: Bench) => Promise<unknown>>> = {
  small: (bench) => bench.put(200),
  large: (bench) => bench.put(5000),
  several: (bench) => bench.putAll([100, 700, 40, 300]),
  close: async (bench) => {
    await bench.close();
    await bench.open();
  },
  kill: (bench) => bench.restart(),
  compact,
};

/** Empties the oldest volume that is sealed, and moves it to the trash. */
async function compact(bench: Bench): Promise<void> {
  const { keeper } = bench.store;
  for await (const { volumeId } of keeper.listUses()) {
    await keeper.compact(volumeId);
    await keeper.moveToTrash(volumeId);
    return;
  }
}

export interface Workload {
  readonly name: string;
  readonly setup: BenchSetup;
  /** Begins with an empty store that is open. */
  readonly run: (bench: Bench) => Promise<void>;
}

/** Of one operation, of two and so on, in every order. */
export function allWorkloads(lengthMax: number): Workload[] {
  const names = Object.keys(OPERATIONS);
  let longest: string[][] = [[]];
  const all: string[][] = [];
  for (let length = 1; length <= lengthMax; length++) {
    longest = longest.flatMap((before) => names.map((name) => [...before, name]));
    all.push(...longest);
  }
  return all.map((operations) => ({
    name: operations.join(', '), setup: ONE_DISK,
    run: async (bench) => {
      for (const [number, name] of operations.entries()) {
        // What a power cut leaves before that is a state of a shorter workload.
        if (number === operations.length - 1) bench.log.from = bench.log.events.length;
        await OPERATIONS[name]?.(bench);
      }
    },
  }));
}

const TWO_DISKS: BenchSetup = {
  policy: { copies: 2, acksMin: 2, domain: 'host' }, disks: 2, config: TINY,
};
const THREE_DISKS: BenchSetup = {
  policy: { copies: 2, acksMin: 2, domain: 'host' }, disks: 3, config: TINY,
};
const THREE_COPIES: BenchSetup = {
  policy: { copies: 3, acksMin: 2, domain: 'host' }, disks: 3, config: TINY,
};
const LOOSE: BenchSetup = {
  policy: { copies: 2, acksMin: 1, domain: 'host' }, disks: 2, config: TINY,
};
const LARGE_PAGES: BenchSetup = { ...ONE_DISK, config: { ...TINY, pageBytes: 4096 } };
const NO_PAGES: BenchSetup = { ...ONE_DISK, config: { ...TINY, pageBytes: 8 } };

async function fill(bench: Bench, times = 3): Promise<void> {
  for (let count = 0; count < times; count++) await bench.put(4500);
}

type Act = () => Promise<unknown>;

async function failing(bench: Bench, what: 'write' | 'sync', act: Act): Promise<void> {
  bench.judge = (_, call) => (call.what === what ? { fail: 'EIO' } : undefined);
  await act().catch(() => undefined); // Refused: nothing was promised.
  bench.judge = () => undefined;
}

async function onceFailing(bench: Bench, what: 'write' | 'sync', act: Act): Promise<void> {
  let left = 1;
  bench.judge = (_, call) => (call.what === what && left-- > 0 ? { fail: 'EIO' } : undefined);
  await act();
  bench.judge = () => undefined;
}

const workload = (
  name: string, setup: BenchSetup, run: (bench: Bench) => Promise<void>,
): Workload => ({ name, setup, run });

async function sweep(bench: Bench): Promise<void> {
  bench.clock.advance(10_000);
  await bench.replicated.repair.sweep();
}

/** The volume that is being written is old, and ends. */
async function growOld(bench: Bench): Promise<void> {
  bench.clock.advance(8 * 24 * 60 * 60_000);
  await bench.store.endDegraded();
}

async function sealOpen(bench: Bench): Promise<void> {
  const { keeper } = bench.store;
  const open = await keeper.useOfOpen();
  if (open !== undefined) await keeper.sealOpen(open.volumeId);
}

/** Thought out by hand. */
export const SCENARIOS: readonly Workload[] = [
  workload('rolls over to a new volume twice', ONE_DISK, (bench) => fill(bench, 6)),
  workload('seals at closing, then goes on', ONE_DISK, async (bench) => {
    await bench.putAll([10, 20, 30, 40]);
    await bench.close();
    await bench.open();
    await bench.put(10);
  }),
  workload('seals what is old, then goes on', ONE_DISK, async (bench) => {
    await bench.putAll([200, 300]);
    await growOld(bench);
    await bench.put(100);
    await growOld(bench);
    await bench.restart();
    await bench.put(100);
  }),
  workload('seals what is old while more is written', ONE_DISK, async (bench) => {
    await bench.putAll([200, 300]);
    const puts = bench.putAll([100, 5000, 60, 900]);
    await growOld(bench);
    await puts;
  }),
  workload('seals when asked, and drops what nobody needs', ONE_DISK, async (bench) => {
    const kept = await bench.put(900);
    const gone = await bench.put(700);
    bench.condemn(gone, [kept]);
    await sealOpen(bench);
    await compact(bench);
    await bench.put(100);
  }),
  workload('seals what is old on two disks, and compacts it', TWO_DISKS, async (bench) => {
    await bench.put(200);
    await growOld(bench);
    await compact(bench);
    await bench.put(100);
  }),
  workload('has nothing left but trash, and takes it back', ONE_DISK, async (bench) => {
    const gone = await bench.put(700);
    bench.condemn(gone, []);
    await sealOpen(bench);
    await compact(bench);
    await bench.restart();
    await bench.put(100);
    for (const { volumeId } of await bench.store.keeper.listTrash()) {
      await bench.store.keeper.restore(volumeId);
    }
    await bench.restart();
  }),
  workload('writes hints and starts from them', ONE_DISK, async (bench) => {
    for (let count = 0; count < 7; count++) await bench.put(150);
    await bench.restart();
    await bench.putAll([150, 150, 150]);
  }),
  workload('writes whole pages, large ones', LARGE_PAGES, async (bench) => {
    await bench.putAll([100, 5000, 60, 900]);
    await bench.put(7000);
    await bench.put(10);
  }),
  workload('writes without pages', NO_PAGES, async (bench) => {
    await bench.putAll([100, 5000, 60, 900]);
    await bench.put(7);
  }),
  workload('is killed again and again', ONE_DISK, async (bench) => {
    for (let count = 0; count < 4; count++) {
      await bench.put(700);
      await bench.restart();
    }
  }),
  workload('goes on after a write failed', ONE_DISK, async (bench) => {
    await bench.put(300);
    await onceFailing(bench, 'write', () => bench.put(2000));
    await bench.put(300);
  }),
  workload('goes on after a sync failed', ONE_DISK, async (bench) => {
    await bench.put(300);
    await onceFailing(bench, 'sync', () => bench.put(2000));
    await bench.putAll([300, 300]);
  }),
  workload('stops after all writes failed, and starts again', ONE_DISK, async (bench) => {
    await bench.put(300);
    await failing(bench, 'sync', () => bench.put(900));
    await bench.restart();
    await bench.put(300);
  }),
  workload('compacts two volumes into one', ONE_DISK, async (bench) => {
    await fill(bench, 5);
    await compact(bench);
    await compact(bench);
  }),
  workload('compacts and drops what nobody needs', ONE_DISK, async (bench) => {
    const kept = await bench.put(3000);
    const gone = await bench.put(3000);
    const other = await bench.put(3000);
    await bench.close();
    await bench.open();
    bench.condemn(gone, [kept, other]);
    await compact(bench);
  }),
  workload('unlinks a volume', ONE_DISK, async (bench) => {
    await fill(bench);
    await compact(bench);
    for (const { volumeId } of await bench.store.keeper.listTrash()) {
      await bench.store.keeper.unlink(volumeId);
    }
    await bench.put(100);
  }),
  workload('takes a volume back from the trash', ONE_DISK, async (bench) => {
    await fill(bench);
    await compact(bench);
    for (const { volumeId } of await bench.store.keeper.listTrash()) {
      await bench.store.keeper.restore(volumeId);
    }
    await bench.put(100);
  }),
  workload('compacts a volume that came back', ONE_DISK, async (bench) => {
    await fill(bench);
    await compact(bench);
    for (const { volumeId } of await bench.store.keeper.listTrash()) {
      await bench.store.keeper.restore(volumeId);
    }
    await bench.restart();
    await compact(bench);
  }),
  workload('makes a volume on two disks', TWO_DISKS, async (bench) => {
    await bench.put(200);
    await bench.putAll([100, 900]);
  }),
  workload('rolls over on two disks', TWO_DISKS, (bench) => fill(bench)),
  workload('compacts on two disks', TWO_DISKS, async (bench) => {
    await fill(bench);
    await compact(bench);
  }),
  workload('starts again on two disks', TWO_DISKS, async (bench) => {
    await bench.put(200);
    await bench.restart();
    await bench.put(200);
  }),
  workload('writes on while one of two is away, and copies', LOOSE, async (bench) => {
    await bench.put(200);
    bench.away.add(1);
    await bench.put(200);
    bench.away.clear();
    await sweep(bench);
    await sweep(bench);
  }),
  workload('copies to a third disk what the second lost', THREE_DISKS, async (bench) => {
    await bench.put(1200);
    await bench.close();
    const names = bench.disks.map((disk) => disk.names().length);
    bench.away.add(names.findIndex((count) => count > 0));
    await bench.open();
    await sweep(bench);
    bench.clock.advance(20 * 60_000);
    await sweep(bench);
    await sweep(bench);
    bench.away.clear();
    await sweep(bench);
    await sweep(bench);
  }),
  workload('compacts while a disk is away, and lets go of what it brings back', THREE_COPIES,
    async (bench) => {
      await bench.put(900);
      await sealOpen(bench);
      bench.away.add(2);
      await sweep(bench);
      bench.log.from = bench.log.events.length; // Before that it is as in other workloads.
      await compact(bench);
      bench.away.clear();
      await sweep(bench);
      assert.ok(bench.disks[2]?.names().some((name) => name.includes('.hv.bad-')));
    }),
  workload('puts a damaged copy right', TWO_DISKS, async (bench) => {
    await bench.put(1200);
    await bench.close();
    await bench.open();
    bench.replicated.files.reportDamage({ volumeId: 1, diskId: 'd1' });
    await sweep(bench);
    await sweep(bench);
  }),
];
