/** One run of the program: from its start on what the disks hold until it is killed or closed. */
import { HoldfastError } from '../../../src/base/errors.ts';
import { GarbageCollector, type CollectorTrouble, type VolumeLedger }
  from '../../../src/durability/index.ts';
import type { GcStore } from '../../../src/durability/gc/gc-store.ts';
import { SqliteGcStore } from '../../../src/durability/gc/stores/sqlite/sqlite-gc-store.ts';
import type { Clock, ManualClock } from '../../../src/platform/index.ts';
import type { BlockClaim } from '../../../src/storage/index.ts';
import type { VolumeFinding } from '../../../src/storage/backends/local/findings.ts';
import { LocalVolumeStore } from '../../../src/storage/backends/local/local-volume-store.ts';
import type { VolumeFiles } from '../../../src/storage/backends/local/volume-files.ts';
import type { CopyFinding } from '../../../src/storage/replication/copy-findings.ts';
import { openReplicatedFiles, type Replicated }
  from '../../../src/storage/replication/open-replicated-files.ts';
import type { ReplicationPolicy } from '../../../src/storage/replication/volume-disk.ts';
import type { Machine } from './machine.ts';
import type { Model } from './model.ts';
import type { PaperLedger } from './paper-ledger.ts';
import { findDamage } from './scrub.ts';
import type { Setup, Tape } from './tape.ts';

/** What outlives programs besides the disks. */
export interface Surroundings {
  readonly setup: Setup;
  readonly machine: Machine;
  readonly model: Model;
  readonly clock: ManualClock;
  readonly notes: SqliteGcStore;
  readonly ledger: PaperLedger;
  readonly seen: Set<string>;
  readonly faults: PlantedFaults;
}

/** Known bugs, put around the real parts to see whether a simulation finds them. */
export interface PlantedFaults {
  /** A search may pass over all other histories: there the bug makes no difference. */
  readonly matters?: (tape: Tape) => boolean;
  readonly wrapDisk?: (files: VolumeFiles, state: { isCompacting: () => boolean }) => VolumeFiles;
  readonly claim?: (store: LocalVolumeStore) => BlockClaim;
  readonly policy?: (policy: ReplicationPolicy) => ReplicationPolicy;
  /** Changes something for as long as the history runs. Answers what takes it back. */
  readonly install?: () => () => void;
}

interface Opened {
  readonly store: LocalVolumeStore;
  readonly replicated: Replicated | undefined;
}

const SMALL = {
  volumeBlocksMax: 40, batchRecordsMax: 6, batchBytesMax: 16 * 1024, queueBytesMax: 1024 ** 2,
  openFilesMax: 2, reserveBytes: 0, recentBytesMax: 0, hintEveryBytes: 8 * 1024,
};

export class Life {
  readonly #around: Surroundings;
  readonly #disks: VolumeFiles[];
  readonly #clock: LifeClock;
  readonly findings: VolumeFinding[] = [];
  readonly copyFindings: CopyFinding[] = [];
  readonly troubles: CollectorTrouble[] = [];
  #opened: Opened | undefined;
  #collector: GarbageCollector | undefined;
  /** What would be cut short now. */
  readonly busyWith = new Set<'collection' | 'compaction' | 'repair'>();
  #isOver = false;

  constructor(around: Surroundings) {
    this.#around = around;
    const { machine, faults, clock } = around;
    const state = { isCompacting: () => this.busyWith.has('compaction') };
    this.#disks = machine.disks.map((disk) => {
      const files = disk.attach();
      return faults.wrapDisk?.(files, state) ?? files;
    });
    this.#clock = new LifeClock(clock, () => this.isOver);
  }

  get isOver(): boolean {
    return this.#isOver || this.#around.machine.isDown;
  }

  get store(): LocalVolumeStore {
    if (this.#opened === undefined) throw new Error('the program has not started');
    return this.#opened.store;
  }

  get isServing(): boolean {
    return this.#opened !== undefined && this.#opened.store.state().refusesWrites !== 'closed';
  }

  get isOpen(): boolean {
    return this.#opened !== undefined;
  }

  get replicated(): Replicated | undefined {
    return this.#opened?.replicated;
  }

  /** @throws HoldfastError: it refuses to start. */
  async open(): Promise<void> {
    const { setup, model } = this.#around;
    const { witness } = model;
    const clock = this.#clock;
    const replicated = setup.disks === 1 ? undefined : await this.#openReplicated();
    const { pageBytes, volumeBytesMax, hintEveryBlocks } = setup;
    const store = await LocalVolumeStore.open({
      root: '/simulated', witness, clock,
      files: replicated?.files ?? this.#disks[0] as VolumeFiles,
      config: { ...SMALL, pageBytes, volumeBytesMax, hintEveryBlocks },
      onFinding: (finding) => this.#noteFinding(finding.kind, () => this.findings.push(finding)),
    });
    if (replicated !== undefined) replicated.repair.endDegraded = () => store.endDegraded();
    this.#collector = this.#makeCollector(store, replicated);
    this.#opened = { store, replicated };
  }

  claim(): BlockClaim {
    const { faults } = this.#around;
    return faults.claim?.(this.store) ?? this.store.reclaim.claim();
  }

  /** One run of the collector, with all that it may refuse. */
  async collect(): Promise<void> {
    const { seen } = this.#around;
    this.busyWith.add('collection');
    try {
      const report = await this.#collector?.run();
      if (report === undefined) return;
      if (report.held !== undefined) seen.add(`collector held: ${report.held}`);
      if (report.compacted.length > 0) seen.add('a volume was compacted');
      if (report.compacted.some(({ droppedCount }) => droppedCount > 0)) {
        seen.add('a condemned block was dropped');
      }
      if (report.unlinked.length > 0) seen.add('a volume was unlinked');
      if (report.erasedCount > 0) seen.add('a replaced copy was erased');
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      seen.add(`collector refused: ${error.kind}`);
    } finally {
      this.busyWith.delete('collection');
    }
  }

  async repair(): Promise<void> {
    this.busyWith.add('repair');
    await this.replicated?.repair.sweep();
    this.busyWith.delete('repair');
  }

  async restoreOldest(): Promise<void> {
    const [oldest] = this.#collector?.listTrash() ?? [];
    if (oldest === undefined) return;
    try {
      await this.#collector?.restore(oldest.volume);
      this.#around.seen.add('a volume was taken back from the trash');
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }

  /** Reads all of all disks and reports the copies that are damaged. */
  async scrub(): Promise<void> {
    const disks = this.#disks.map((files, number) => ({ id: diskId(number), files }));
    const marks = new Map(this.store.witness());
    for (const damaged of await findDamage(disks, this.#clock, marks)) {
      if (this.isOver) return;
      this.#around.seen.add('a verifier found damage');
      this.replicated?.files.reportDamage(damaged);
    }
  }

  async close(): Promise<void> {
    await this.replicated?.repair.stop();
    await this.store.close();
  }

  end(): void {
    this.#isOver = true;
  }

  #openReplicated(): Promise<Replicated> {
    const { setup, model, faults } = this.#around;
    const { copies, acksMin } = setup;
    const policy = { copies, acksMin, domain: 'host' } as const;
    const disks = this.#disks.map((files, number) => ({
      id: diskId(number), files, state: 'active' as const,
      labels: { disk: diskId(number), host: `h${number}`, rack: 'r', zone: 'z' },
    }));
    return openReplicatedFiles({
      disks, policy: faults.policy?.(policy) ?? policy, witness: model.witness,
      clock: this.#clock, limits: { roomBytes: 0, repairBytesPerSecond: Infinity },
      onFinding: (finding) => this.#noteFinding(finding.kind, () =>
        this.copyFindings.push(finding)),
    });
  }

  #noteFinding(kind: string, keep: () => void): void {
    if (this.isOver) return;
    this.#around.seen.add(kind);
    this.#around.machine.note(kind);
    keep();
  }

  #makeCollector(
    store: LocalVolumeStore, replicated: Replicated | undefined,
  ): GarbageCollector {
    const { model, notes, ledger } = this.#around;
    const isOver = (): boolean => this.isOver;
    const { keeper } = store;
    const volumes = Object.assign(Object.create(keeper) as typeof keeper, {
      listUses: keeper.listUses.bind(keeper),
      useOfOpen: keeper.useOfOpen.bind(keeper),
      sealOpen: async (volumeId: number) => {
        await keeper.sealOpen(volumeId);
        if (!isOver()) this.#around.seen.add('an open volume was ended for its garbage');
      },
      moveToTrash: async (volumeId: number) => {
        await keeper.moveToTrash(volumeId);
        if (isOver() || this.#around.machine.away.size === 0) return;
        this.#around.seen.add('a volume left while a disk was away');
      },
      listTrash: keeper.listTrash.bind(keeper),
      inspectTrash: keeper.inspectTrash.bind(keeper),
      restore: keeper.restore.bind(keeper),
      unlink: keeper.unlink.bind(keeper),
      compact: async (...[volumeId, options]: Parameters<typeof keeper.compact>) => {
        this.busyWith.add('compaction');
        try {
          return await keeper.compact(volumeId, options);
        } finally {
          this.busyWith.delete('compaction');
        }
      },
    });
    return new GarbageCollector({
      metadata: model, blocks: store, reclaim: store.reclaim, volumes, clock: this.#clock,
      replaced: replicated?.replaced,
      notes: mortal(notes, isOver),
      onTrouble: (trouble) => {
        if (!this.isOver) this.troubles.push(trouble);
      },
      limits: { smallBytes: 0, garbageShare: 0.05, condemnedShareMax: 1 },
    }, { ledger: ledger.opened(isOver) as unknown as VolumeLedger, entries: [...ledger.entries] });
  }
}

export function diskId(number: number): string {
  return `d${number}`;
}

/** Timers of a program that is dead do not go off. */
class LifeClock implements Clock {
  readonly #clock: ManualClock;
  readonly #isOver: () => boolean;

  constructor(clock: ManualClock, isOver: () => boolean) {
    this.#clock = clock;
    this.#isOver = isOver;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonic(): number {
    return this.#clock.monotonic();
  }

  after(delayMs: number, act: () => void): () => void {
    return this.#clock.after(delayMs, () => {
      if (!this.#isOver()) act();
    });
  }
}

/** The same notes, that refuse once `isOver`. */
function mortal(notes: GcStore, isOver: () => boolean): GcStore {
  return new Proxy(notes, {
    get(target, name) {
      if (isOver()) throw new HoldfastError('unavailable', 'test', 'This program is dead.');
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
    },
  });
}
