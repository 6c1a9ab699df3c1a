/** A store on recorded disks, for workloads whose every crash state is to be looked at. */
import type { BlockId } from '../../../src/base/ids.ts';
import type { Witness } from '../../../src/base/witness.ts';
import { ManualClock } from '../../../src/platform/index.ts';
import { Block } from '../../../src/storage/index.ts';
import { LocalVolumeStore } from '../../../src/storage/backends/local/local-volume-store.ts';
import type { VolumeConfig } from '../../../src/storage/backends/local/volume-config.ts';
import { openReplicatedFiles, type Replicated }
  from '../../../src/storage/replication/open-replicated-files.ts';
import type { ReplicationPolicy } from '../../../src/storage/replication/volume-disk.ts';
import { SimulatedDisk, type DiskCall, type Verdict } from '../disk/simulated-disk.ts';
import { SeededRandom } from '../../support/random.ts';
import { EventLog, RecordedFiles } from './recording.ts';
import type { Remains } from './replayed-disk.ts';

export const TINY: Partial<VolumeConfig> = {
  volumeBytesMax: 12 * 1024, volumeBlocksMax: 40, batchRecordsMax: 3, batchBytesMax: 16 * 1024,
  queueBytesMax: 1024 ** 2, openFilesMax: 2, reserveBytes: 0, recentBytesMax: 0,
  hintEveryBlocks: 2, hintEveryBytes: 8 * 1024, pageBytes: 512,
};

export interface BenchSetup {
  readonly policy: ReplicationPolicy;
  readonly disks: number;
  readonly config: Partial<VolumeConfig>;
}

export const ONE_DISK: BenchSetup = {
  policy: { copies: 1, acksMin: 1, domain: 'disk' }, disks: 1, config: TINY,
};

export class Bench {
  readonly setup: BenchSetup;
  readonly log = new EventLog();
  readonly clock = new ManualClock(1_700_000_000_000);
  readonly disks: SimulatedDisk[];
  readonly away = new Set<number>();
  readonly #random = new SeededRandom(1);
  /** Of each disk: which file a name means in the log. */
  readonly #numbers: Map<string, number>[];
  readonly #witness = new Map<number, number>();
  #store: LocalVolumeStore | undefined;
  #replicated: Replicated | undefined;
  #blocks = 0;
  /** Fails calls on purpose; most benches need none. */
  judge: (disk: number, call: DiskCall) => Verdict = () => undefined;

  /** On empty disks, or on what a power cut left. */
  constructor(setup: BenchSetup, remains: readonly Remains[] = []) {
    this.setup = setup;
    this.disks = Array.from({ length: setup.disks }, (_, number) => this.#makeDisk(number));
    this.#numbers = this.disks.map(() => new Map<string, number>());
    for (const [number, { files }] of remains.entries()) {
      for (const [name, bytes] of files) {
        this.disks[number]?.place(name, bytes);
        this.#numbers[number]?.set(name, this.log.nextFile());
      }
    }
  }

  get store(): LocalVolumeStore {
    if (this.#store === undefined) throw new Error('the bench is not open');
    return this.#store;
  }

  get replicated(): Replicated {
    if (this.#replicated === undefined) throw new Error('there is one disk only');
    return this.#replicated;
  }

  get witness(): Witness {
    return [...this.#witness];
  }

  numberOf(disk: number, name: string): number {
    return this.#numbers[disk]?.get(name) ?? -1;
  }

  async open(witness: Witness = this.witness): Promise<void> {
    const { clock, log, setup } = this;
    const disks = this.disks.map((disk, number) => new RecordedFiles(disk.attach(), log, {
      disk: number, numbers: this.#numbers[number] as Map<string, number>,
    }));
    if (setup.disks > 1) {
      this.#replicated = await openReplicatedFiles({
        disks: disks.map((files, number) => ({
          id: `d${number}`, files, state: 'active',
          labels: { disk: `d${number}`, host: `h${number}`, rack: 'r', zone: 'z' },
        })),
        policy: setup.policy, witness, clock, onFinding: () => undefined,
        limits: { roomBytes: 0, repairBytesPerSecond: Infinity },
      });
    }
    const files = this.#replicated?.files ?? (disks[0] as RecordedFiles);
    const store = await LocalVolumeStore.open({
      root: '/simulated', witness, clock, files, config: setup.config, onFinding: () => undefined,
    });
    if (this.#replicated !== undefined) {
      this.#replicated.repair.endDegraded = () => store.endDegraded();
    }
    this.#store = store;
  }

  /** Stores a block that was never there, and notes the promise. */
  async put(sizeBytes: number): Promise<BlockId> {
    const block = contentOf(++this.#blocks, sizeBytes);
    const { store } = this;
    await store.put(block);
    for (const [volumeId, end] of store.witness()) this.#witness.set(volumeId, end);
    this.log.push({ kind: 'stored', id: block.id, witness: this.witness });
    return block.id;
  }

  async putAll(sizes: readonly number[]): Promise<void> {
    await Promise.all(sizes.map((sizeBytes) => this.put(sizeBytes)));
  }

  /** From here on nobody needs the block. */
  condemn(id: BlockId, others: readonly BlockId[]): void {
    this.log.push({ kind: 'unneeded', id });
    const census = this.store.reclaim.beginCensus();
    this.store.reclaim.need(census, others);
    this.store.reclaim.condemn(census, [id]);
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  /** The program is killed and starts again; the machine runs on. */
  async restart(): Promise<void> {
    for (const disk of this.disks) disk.kill();
    await this.open();
  }

  #makeDisk(number: number): SimulatedDisk {
    const { next, below } = {
      next: () => this.#random.next(),
      below: (end: number) => Math.floor(this.#random.next() * end),
    };
    return new SimulatedDisk({
      onCall: () => true,
      judge: (call) => (this.away.has(number) ? { fail: 'ENODEV' } : this.judge(number, call)),
      chance: () => ({ next, below }),
      note: () => undefined,
    });
  }
}

const contents = new Map<BlockId, Buffer>();

/** The bytes of every block that any bench has made. */
export function bytesOf(id: BlockId): Buffer | undefined {
  return contents.get(id);
}

function contentOf(number: number, sizeBytes: number): Block {
  const bytes = Buffer.alloc(sizeBytes, `block ${number} of ${sizeBytes} bytes; `);
  const block = Block.of([bytes]);
  contents.set(block.id, bytes);
  return block;
}
